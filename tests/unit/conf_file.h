/* What the tests of configuration files share: files in which FOLDER stands for the test's own. */
#ifndef APW_CONF_FILE_H
#define APW_CONF_FILE_H

#include "error.h"
#include "unit.h"

#define FOLDER "FOLDER" /* stands for the test's folder in what is written and expected */

/* `text` with the folder in place. The caller frees it. */
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

/* The `needed` lines, each with its end, except the one for `line`'s own key, and `line` behind
 * them; returns the number of that last line. The caller frees *text_r. */
static int complete_file(const char *const *needed, size_t needed_count, const char *line,
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
