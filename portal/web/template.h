/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template: files of HTML and text with places to fill, each in every language.
 *
 *   {{name}}                 the value of that variable, escaped
 *   {{_("Hello, {name}.")}}  translated, then its {names} filled; all of it escaped
 *
 * There is nothing else. In .txt files nothing is escaped, but control characters in values become
 * '?'.
 */
#ifndef APW_TEMPLATE_H
#define APW_TEMPLATE_H

#include "error.h"
#include "web/buffer.h"
#include "web/language.h"
#include <stddef.h>

#define APW_VARIABLES_MAX 64

/* Variables and their values, all borrowed. */
struct apw_variables {
    size_t count;
    struct {
        const char *name;
        const char *value;
        const char *link; /* NULL: none */
    } variable[APW_VARIABLES_MAX];
};

/* Sets a variable, or replaces its value; NULL means "". */
void apw_template_set(struct apw_variables *variables, const char *name, const char *value);

/* The same; in HTML, the value is a link to that address. */
void apw_template_set_link(struct apw_variables *variables, const char *name, const char *value,
                           const char *link);

struct apw_templates;

/* Reads every template of the folder (.html, .txt, .xml, .mobileconfig) in every language. Errors
 * name the file and line. */
int apw_templates_load(const char *folder, const struct apw_languages *languages,
                       struct apw_templates **templates_r, struct apw_error *error);
void apw_templates_free(struct apw_templates **templates);

/* Appends the filled template to the buffer. -1 if there is no such template, or one of its
 * variables has no value; the buffer then ends in the middle. */
int apw_template_fill(const struct apw_templates *templates, const char *file, unsigned language,
                      const struct apw_variables *variables, struct apw_buffer *buffer,
                      struct apw_error *error);

/* Appends a text with its {names} filled, and nothing escaped. A name without a value stays. */
void apw_template_fill_text(const char *text, const struct apw_variables *variables,
                            struct apw_buffer *buffer);

#endif
