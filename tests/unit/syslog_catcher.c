/* SPDX-License-Identifier: BSD-2-Clause */
#include "syslog_catcher.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct caught caught;

void __wrap_syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void take(int priority, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void take(int priority, const char *format, va_list arguments)
{
    size_t length = strlen(caught.text);

    vsnprintf(caught.text + length, sizeof caught.text - length - 1, format, arguments);
    strcat(caught.text, "|");
    caught.priority = priority;
    caught.count++;
}

void __wrap_syslog(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    take(priority, format, arguments);
    va_end(arguments);
}

/* syslog() with _FORTIFY_SOURCE. */
void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    take(priority, format, arguments);
    va_end(arguments);
}
