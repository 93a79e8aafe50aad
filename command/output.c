/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"
#include "say.h"
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 8192

void apw_output_line(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    puts(apw_say_printable(line));
    sodium_memzero(line, sizeof line); /* it may hold an enrollment code */
}

int apw_output_finish(void)
{
    bool has_failed = ferror(stdout) != 0; /* at an earlier flush; its errno is lost */

    if (fflush(stdout) == 0 && !has_failed)
        return 0;
    apw_say(NULL, "standard output: %s", has_failed ? "could not be written" : strerror(errno));
    return -1;
}
