/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"
#include "login.h"
#include "utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 2048

char *apw_say_printable(char *text)
{
    for (char *c = text; *c != '\0';) {
        size_t printable = apw_utf8_printable_bytes(c, strlen(c));

        if (printable == 0)
            *c++ = '?';
        c += printable;
    }
    return text;
}

__attribute__((format(printf, 2, 0))) static void say(const char *about, const char *format,
                                                      va_list arguments, const char *end)
{
    char words[LINE_SIZE], line[LINE_SIZE + 512];

    vsnprintf(words, sizeof words, format, arguments);
    snprintf(line, sizeof line, "app-password: %s%s%s", about == NULL ? "" : about,
             about == NULL ? "" : ": ", words);
    apw_say_printable(line);
    fflush(stdout); /* keep the order of the two streams */
    fprintf(stderr, "%s%s\n", line, end);
}

void apw_say(const char *about, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(about, format, arguments, "");
    va_end(arguments);
}

enum apw_status apw_say_usage(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(NULL, format, arguments, "\nTry 'app-password --help' or 'man app-password'.");
    va_end(arguments);
    return APW_STATUS_USAGE;
}
