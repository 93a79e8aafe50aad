/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line: a log line under construction. Names and errors are quoted, so that nothing in them can
 * add a field or a line. Pure.
 */
#ifndef APW_LINE_H
#define APW_LINE_H

#include <stddef.h>

#define APW_LINE_SIZE 6144

/* Drops what does not fit, and always ends with a NUL. */
struct apw_line {
    char *text; /* borrowed, APW_LINE_SIZE bytes */
    size_t length;
};

/* An empty line in `text`. */
struct apw_line apw_line_begin(char text[APW_LINE_SIZE]);

/* `text` as it is: not for anything that a client or the directory sent. */
void apw_line_put(struct apw_line *line, const char *text);

/* The key, such as " id=", and the value as it is; "-" if the value is NULL or "". */
void apw_line_put_field(struct apw_line *line, const char *key, const char *value);

/* The bytes in quotation marks. Control characters, invalid UTF-8, quotation marks and backslashes
 * become \xHH. */
void apw_line_put_quoted(struct apw_line *line, const char *text, size_t length);

/* The same for a login; one that is an app password becomes "(app password)". */
void apw_line_put_login(struct apw_line *line, const char *login, size_t length);

#endif
