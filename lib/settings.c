/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"
#include "clock.h"
#include "ignorable.h"
#include "login.h"
#include "utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096

/* One key's value in the file. */
struct setting {
    char *value; /* NULL: not given */
    int line;
};

int apw_settings_copy(const char *value, char **copy_r, struct apw_error *error)
{
    *copy_r = strdup(value);
    return *copy_r == NULL ? apw_error_set(error, "out of memory") : 0;
}

int apw_settings_check_absolute(const char *path, struct apw_error *error)
{
    return path[0] == '/' ? 0 : apw_error_set(error, "\"%s\" is not an absolute path", path);
}

/* Trims white space from both ends of a line, and a byte-order mark in front of it, in place. */
static char *trim(char *line)
{
    size_t length;

    line += apw_ignorable_mark_bytes(line, strlen(line));
    line += strspn(line, " \t\r\n");
    length = strlen(line);
    while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
        line[--length] = '\0';
    return line;
}

static int read_line(char *line, int number, const char *path, const struct apw_key_table *table,
                     struct setting *settings, struct apw_error *error)
{
    char *text = trim(line), *value;
    size_t i, name_length;

    if (*text == '\0' || *text == '#')
        return 0;
    if (!apw_utf8_is_valid(text, strlen(text)))
        return apw_error_set(error, "%s:%d: the line is not UTF-8", path, number);
    name_length = strcspn(text, " \t");
    value = text + name_length + strspn(text + name_length, " \t");
    text[name_length] = '\0';
    for (i = 0; i < table->count && strcmp(table->key[i].name, text) != 0; i++)
        ;
    if (i == table->count)
        return apw_error_set(error, "%s:%d: unknown key \"%s\"; %s lists them", path, number, text,
                             table->manual);
    if (settings[i].value != NULL)
        return apw_error_set(error, "%s:%d: \"%s\" is already set on line %d; remove one of them",
                             path, number, text, settings[i].line);
    if (*value == '\0')
        return apw_error_set(error,
                             "%s:%d: \"%s\" needs a value; to have the default, leave the "
                             "line out",
                             path, number, text);
    settings[i].line = number;
    return apw_settings_copy(value, &settings[i].value, error);
}

/* Reads the next line; false at the end of the file. *is_whole_r: it fits, and has no NUL that
 * would hide the rest. */
static bool read_whole_line(char line[LINE_SIZE], FILE *file, bool *is_whole_r)
{
    size_t length;

    memset(line, '\n', LINE_SIZE); /* the last NUL is then that of fgets() */
    if (fgets(line, LINE_SIZE, file) == NULL)
        return false;
    length = (size_t)((char *)memrchr(line, '\0', LINE_SIZE) - line);
    *is_whole_r = strlen(line) == length && (line[length - 1] == '\n' || feof(file));
    return true;
}

static int read_lines(const char *path, const struct apw_key_table *table, struct setting *settings,
                      struct apw_error *error)
{
    char line[LINE_SIZE];
    FILE *file = fopen(path, "re");
    int number = 0, status = 0;
    bool is_whole;

    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    while (status == 0 && read_whole_line(line, file, &is_whole)) {
        number++;
        if (!is_whole)
            status =
                apw_error_set(error, "%s:%d: the line is longer than %d bytes or contains a NUL",
                              path, number, LINE_SIZE - 2);
        else
            status = read_line(line, number, path, table, settings, error);
    }
    if (status == 0 && ferror(file))
        status = apw_error_set(error, "%s: %s", path, strerror(errno));
    fclose(file);
    return status;
}

static int apply(const char *path, const struct apw_key_table *table,
                 bool (*is_skipped)(const struct apw_key *key), const struct setting *settings,
                 void *target, struct apw_error *error)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct apw_key *key = &table->key[i];

        if (settings[i].value == NULL || (is_skipped != NULL && is_skipped(key)))
            continue;
        if (key->set(target, settings[i].value, error) != 0)
            return apw_error_set(error, "%s:%d: %s: %s", path, settings[i].line, key->name,
                                 error->text);
    }
    return 0;
}

int apw_settings_read(const char *path, const struct apw_key_table *table,
                      bool (*is_skipped)(const struct apw_key *key), void *target,
                      struct apw_error *error)
{
    struct setting settings[APW_KEYS_MAX] = {{NULL, 0}};
    int status = read_lines(path, table, settings, error);

    if (status == 0)
        status = apply(path, table, is_skipped, settings, target, error);
    for (size_t i = 0; i < table->count; i++)
        free(settings[i].value);
    return status;
}

char *apw_settings_find(const char *path, const char *key)
{
    char line[LINE_SIZE], *value = NULL;
    FILE *file = fopen(path, "re");
    size_t length = strlen(key);
    bool is_whole;

    if (file == NULL)
        return NULL;
    while (value == NULL && read_whole_line(line, file, &is_whole)) {
        const char *text = trim(line);

        if (is_whole && strncmp(text, key, length) == 0 && strchr(" \t", text[length]) != NULL &&
            text[length] != '\0')
            value = strdup(text + length + strspn(text + length, " \t"));
    }
    fclose(file);
    return value;
}

int apw_settings_copy_list(const char *value, char **copy_r, struct apw_error *error)
{
    char *to;

    if (apw_settings_copy(value, copy_r, error) != 0)
        return -1;
    to = *copy_r;
    for (const char *from = *copy_r; *from != '\0'; from++) {
        if (*from != ' ' && *from != '\t')
            *to++ = *from;
        else if (to != *copy_r && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    return 0;
}

int apw_settings_check_readable(const char *path, struct apw_error *error)
{
    FILE *file;

    if (apw_settings_check_absolute(path, error) != 0)
        return -1;
    file = fopen(path, "re");
    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    fclose(file);
    return 0;
}

int apw_settings_sibling(const char *path, const char *name, char *sibling_r, size_t size,
                         struct apw_error *error)
{
    const char *slash = strrchr(path, '/');
    int folder_length = slash == NULL ? 0 : (int)(slash - path + 1);

    if (snprintf(sibling_r, size, "%.*s%s", folder_length, path, name) >= (int)size)
        return apw_error_set(error, "%s: the path is too long", path);
    return 0;
}

static int read_number(const char *text, long minimum, long maximum, const char *unit,
                       long *number_r, struct apw_error *error)
{
    char *end;

    errno = 0;
    *number_r = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;
    if (*number_r < minimum || *number_r > maximum || errno != 0 || *end != '\0')
        return apw_error_set(error, "\"%s\" is not a whole number of %s from %ld to %ld", text,
                             unit, minimum, maximum);
    return 0;
}

int apw_settings_count(const char *text, unsigned maximum, const char *unit, unsigned *count_r,
                       struct apw_error *error)
{
    long count;

    if (read_number(text, 1, maximum, unit, &count, error) != 0)
        return -1;
    *count_r = (unsigned)count;
    return 0;
}

int apw_settings_seconds(const char *text, long minimum, int *milliseconds_r,
                         struct apw_error *error)
{
    long seconds;

    if (read_number(text, minimum, 300, "seconds", &seconds, error) != 0)
        return -1;
    *milliseconds_r = (int)seconds * 1000;
    return 0;
}

int apw_settings_period(const char *text, int64_t *seconds_r, struct apw_error *error)
{
    *seconds_r = 0;
    if (strcmp(text, "never") == 0 ||
        (apw_clock_parse_duration(text, false, seconds_r) == 0 && *seconds_r > 0))
        return 0;
    return apw_error_set(error, "\"%s\" must be never, or a time like 5m or 30s", text);
}

int apw_settings_days(const char *text, unsigned minimum, int64_t *seconds_r,
                      struct apw_error *error)
{
    *seconds_r = 0;
    if (strcmp(text, "never") == 0 || (apw_clock_parse_duration(text, false, seconds_r) == 0 &&
                                       *seconds_r >= (int64_t)minimum * 86400))
        return 0;
    return apw_error_set(error, "\"%s\" must be never, or a time like 365d, at least %ud", text,
                         minimum);
}

int apw_settings_mebibytes(const char *text, unsigned maximum, unsigned *mebibytes_r,
                           struct apw_error *error)
{
    char number[8];
    size_t length = strlen(text);

    if (length < 2 || length > sizeof number || text[length - 1] != 'M')
        return apw_error_set(error, "\"%s\" is not a size in MiB like 8M", text);
    memcpy(number, text, length - 1);
    number[length - 1] = '\0';
    return apw_settings_count(number, maximum, "MiB", mebibytes_r, error);
}

int apw_settings_choice(const char *value, const char *const *names, struct apw_error *error)
{
    char list[128] = "";

    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(value, names[i]) == 0)
            return i;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i == 0 ? "" : ", ",
                 names[i]);
    }
    return apw_error_set(error, "\"%s\" is not one of %s", value, list);
}

int apw_settings_yes_no(const char *value, bool *is_yes_r, struct apw_error *error)
{
    *is_yes_r = strcmp(value, "yes") == 0;
    return *is_yes_r || strcmp(value, "no") == 0
               ? 0
               : apw_error_set(error, "\"%s\" is neither yes nor no", value);
}
