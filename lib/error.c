/* SPDX-License-Identifier: BSD-2-Clause */
#include "error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int apw_error_set(struct apw_error *error, const char *format, ...)
{
    char text[sizeof error->text];
    va_list arguments;

    if (error == NULL)
        return -1;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(error->text, text, sizeof text);
    return -1;
}
