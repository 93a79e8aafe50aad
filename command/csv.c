/* SPDX-License-Identifier: BSD-2-Clause */
#include "csv.h"
#include "utf8.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Also the full-width forms, which some spreadsheets take for the same. */
static bool begins_formula(const char *text)
{
    static const char *const signs[] = {
        "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strncmp(text, signs[i], strlen(signs[i])) == 0)
            return true;
    return false;
}

/* A spreadsheet splits at the separator of its own locale and takes a cell that begins like a
 * formula for one; an apostrophe after any separator prevents that. */
void apw_csv_print_cell(const char *text, char end)
{
    bool is_start = true;

    putchar('"');
    while (*text != '\0') {
        size_t bytes = apw_utf8_printable_bytes(text, strlen(text));

        if (is_start && begins_formula(text))
            putchar('\'');
        is_start = *text != '\0' && strchr(",;|\t\"", *text) != NULL;
        if (*text == '"')
            putchar('"');
        if (bytes == 0)
            putchar('?');
        fwrite(text, 1, bytes, stdout);
        text += bytes > 0 ? bytes : 1;
    }
    putchar('"');
    putchar(end);
}
