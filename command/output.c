/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"
#include "say.h"
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

int apw_output_secret(const char *text)
{
    return write_all(text, strlen(text)) == 0 && write_all("\n", 1) == 0 ? apw_output_close() : -1;
}

int apw_output_secret_cell(const char *text)
{
    return fflush(stdout) == 0 && write_all("\"", 1) == 0 && write_all(text, strlen(text)) == 0
               ? write_all("\"\n", 2)
               : -1;
}

int apw_output_close(void)
{
    return fflush(stdout) == 0 ? close(STDOUT_FILENO) : -1;
}

int apw_output_finish(void)
{
    bool has_failed = ferror(stdout) != 0; /* at an earlier flush; its errno is lost */

    if (fflush(stdout) == 0 && !has_failed)
        return 0;
    apw_say(NULL, "standard output: %s", has_failed ? "could not be written" : strerror(errno));
    return -1;
}
