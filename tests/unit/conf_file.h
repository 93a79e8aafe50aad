/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the tests of configuration files. FOLDER in a text stands for the test's folder. */
#ifndef APW_CONF_FILE_H
#define APW_CONF_FILE_H

#include "error.h"
#include "unit.h"

#define FOLDER "FOLDER" /* in files and in expected messages */

/* `text` with FOLDER replaced. The caller frees it. */
static char *expand(const char *text, size_t length, size_t *length_r)
{
    char folder[UNIT_PATH_SIZE], *expanded;
    const char *end = text + length, *found;
    FILE *stream = open_memstream(&expanded, length_r);

    assert_non_null(stream);
    unit_path("", folder);
    folder[strlen(folder) - 1] = '\0';
    while ((found = memmem(text, (size_t)(end - text), FOLDER, strlen(FOLDER))) != NULL) {
        fwrite(text, 1, (size_t)(found - text), stream);
        fputs(folder, stream);
        text = found + strlen(FOLDER);
    }
    fwrite(text, 1, (size_t)(end - text), stream);
    fclose(stream);
    return expanded;
}

static void write_expanded(const char *path, const char *text, size_t length)
{
    char *expanded = expand(text, length, &length);

    unit_write(path, expanded, length);
    free(expanded);
}

static void assert_says(const struct apw_error *error, const char *part)
{
    size_t length;
    char *expanded = expand(part, strlen(part), &length);

    assert_contains(error->text, expanded);
    free(expanded);
}

/* The `needed` lines (with line ends) except the one with `line`'s key, then `line`. Returns the
 * number of the last line. The caller frees *text_r. */
static inline int complete_file(const char *const *needed, size_t needed_count, const char *line,
                                char **text_r)
{
    size_t key_length = strcspn(line, " \t"), size;
    FILE *stream = open_memstream(text_r, &size);
    int number = 1;

    assert_non_null(stream);
    for (size_t i = 0; i < needed_count; i++)
        if (strncmp(needed[i], line, key_length) != 0 || needed[i][key_length] != ' ') {
            fputs(needed[i], stream);
            number++;
        }
    fprintf(stream, "%s\n", line);
    fclose(stream);
    return number;
}

#endif
