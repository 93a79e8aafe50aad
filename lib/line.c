/* SPDX-License-Identifier: BSD-2-Clause */
#include "line.h"
#include "password.h"
#include "utf8.h"
#include <stdio.h>
#include <string.h>

struct apw_line apw_line_begin(char text[APW_LINE_SIZE])
{
    text[0] = '\0';
    return (struct apw_line){.text = text};
}

static void put(struct apw_line *line, const char *text, size_t length)
{
    if (line->length + length >= APW_LINE_SIZE)
        return;
    memcpy(line->text + line->length, text, length);
    line->length += length;
    line->text[line->length] = '\0';
}

void apw_line_put(struct apw_line *line, const char *text)
{
    put(line, text, strlen(text));
}

void apw_line_put_field(struct apw_line *line, const char *key, const char *value)
{
    apw_line_put(line, key);
    apw_line_put(line, value != NULL && value[0] != '\0' ? value : "-");
}

/* Bytes of the first character, or 0 if it must be escaped. */
static size_t plain_bytes(const char *text, size_t length)
{
    return *text == '"' || *text == '\\' ? 0 : apw_utf8_printable_bytes(text, length);
}

void apw_line_put_quoted(struct apw_line *line, const char *text, size_t length)
{
    char escaped[8];

    put(line, "\"", 1);
    while (length > 0) {
        size_t plain = plain_bytes(text, length);

        if (plain > 0) {
            put(line, text, plain);
        } else {
            plain = 1;
            snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*text);
            apw_line_put(line, escaped);
        }
        text += plain;
        length -= plain;
    }
    put(line, "\"", 1);
}

/* Users paste app passwords into the wrong field. */
void apw_line_put_login(struct apw_line *line, const char *login, size_t length)
{
    if (apw_password_is_login(login, length))
        apw_line_put(line, "\"(app password)\"");
    else
        apw_line_put_quoted(line, login, length);
}
