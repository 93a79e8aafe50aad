/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text: configuration files as texts: read, changed line by line. Pure except for reading.
 *
 * A text is NUL-terminated and on the heap. Functions that change one free it and return the new
 * one; they take and return NULL, so that calls can be chained and the end checked once.
 */
#ifndef APW_SETUP_TEXT_H
#define APW_SETUP_TEXT_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

/* Reads a file of at most 1 MiB. NULL on failure. */
char *apw_setup_text_read(const char *path, struct apw_error *error);

/* Replaces every occurrence of `old`. */
char *apw_setup_text_replace(char *text, const char *old, const char *new);

/* Replaces the line that begins with `key` and white space by "KEY VALUE"; if there is none, adds
 * it. If value is "", removes the line. */
char *apw_setup_text_set(char *text, const char *key, const char *value);

/* Removes the lines that contain `part`. */
char *apw_setup_text_drop_lines(char *text, const char *part);

/* Removes the paragraphs, which empty lines separate, that have this line. */
char *apw_setup_text_drop_paragraph(char *text, const char *line);

/* Adds `added` before the first line that begins with `start`; if there is none, at the end. */
char *apw_setup_text_insert(char *text, const char *start, const char *added);

char *apw_setup_text_append(char *text, const char *added);

/* Comments out blocks like "passdb {" or "passdb pam {" in a file of Dovecot, except those that
 * contain "master = yes" or "deny = yes". */
char *apw_setup_text_comment_blocks(char *text, const char *block);

/* The value of the first line "NAME: VALUE" of LDIF without folded lines. Returns false if there is
 * none. */
bool apw_setup_text_find(const char *text, const char *name, char *value_r, size_t size);

#endif
