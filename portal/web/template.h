/*
 * template: files of HTML and text with places to fill, each in every language.
 *
 *   {{name}}                 the value of that variable, escaped
 *   {{_("Hello, {name}.")}}  translated, then its {names} filled; all of it escaped
 *
 * That is all there is. .txt files are not escaped: control characters in their values become '?'.
 */
#ifndef APW_TEMPLATE_H
#define APW_TEMPLATE_H

#include "error.h"
#include "web/buffer.h"
#include "web/language.h"
#include <stddef.h>

#define APW_VARIABLES_MAX 48

/* Variables and their values, all borrowed. */
struct apw_variables {
    size_t count;
    struct {
        const char *name;
        const char *value;
    } variable[APW_VARIABLES_MAX];
};

/* Sets one, in place of the value that it had. NULL sets "". */
void apw_variables_set(struct apw_variables *variables, const char *name, const char *value);

struct apw_templates;

/* Reads every template file of the folder in every language; for the start, while there is one
 * thread. The error names file and line. */
int apw_templates_load(const char *folder, const struct apw_languages *languages,
                       struct apw_templates **templates_r, struct apw_error *error);
void apw_templates_free(struct apw_templates **templates);

/* Appends the file, filled, to the buffer. -1 where there is no such file or a variable of it is
 * not set; then the buffer is not fit to be shown. */
int apw_template_fill(const struct apw_templates *templates, const char *file, unsigned language,
                      const struct apw_variables *variables, struct apw_buffer *buffer,
                      struct apw_error *error);

#endif
