/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings: a configuration file of `key value` lines; '#' comments whole lines only.
 *
 * An unknown or repeated key, a key without a value, an invalid value or a missing file is an
 * error: "file:line: what is wrong, what would be right".
 */
#ifndef APW_SETTINGS_H
#define APW_SETTINGS_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checks a value and sets it in *target; -1 with what is wrong and what would be right. */
typedef int (*apw_setter)(void *target, const char *value, struct apw_error *error);

struct apw_key {
    const char *name;
    apw_setter set;
};

#define APW_KEYS_MAX 64

/* The keys of a file. Values are set in the order of this table, not of the file. */
struct apw_key_table {
    const char *manual; /* the man page that lists the keys */
    size_t count;       /* at most APW_KEYS_MAX */
    const struct apw_key *key;
};

/* Reads the file into *target. Keys for which `is_skipped` (may be NULL) is true are read but not
 * set. After -1, *target holds what was set so far. */
int apw_settings_read(const char *path, const struct apw_key_table *table,
                      bool (*is_skipped)(const struct apw_key *key), void *target,
                      struct apw_error *error);

/* The first value of a key, whatever else is wrong with the file. NULL if there is none. The caller
 * frees it. */
char *apw_settings_find(const char *path, const char *key);

/* The path of the file `name` in the folder of `path`. */
int apw_settings_sibling(const char *path, const char *name, char *sibling_r, size_t size,
                         struct apw_error *error);

/* For setters: */

int apw_settings_copy(const char *value, char **copy_r, struct apw_error *error);
/* As above, with single spaces in place of runs of spaces and tabs. */
int apw_settings_copy_list(const char *value, char **copy_r, struct apw_error *error);
int apw_settings_check_absolute(const char *path, struct apw_error *error);

/* Fails unless the path is absolute and the file can be opened for reading. */
int apw_settings_check_readable(const char *path, struct apw_error *error);

/* A whole number from 1 to `maximum`; `unit` is for the error. */
int apw_settings_count(const char *text, unsigned maximum, const char *unit, unsigned *count_r,
                       struct apw_error *error);

/* Whole seconds up to 300, as milliseconds. */
int apw_settings_seconds(const char *text, long minimum, int *milliseconds_r,
                         struct apw_error *error);

/* A time like 5m, or never, which is 0. */
int apw_settings_period(const char *text, int64_t *seconds_r, struct apw_error *error);

/* A time of at least `minimum` days, or never, which is 0. */
int apw_settings_days(const char *text, unsigned minimum, int64_t *seconds_r,
                      struct apw_error *error);

/* A size like 8M, from 1M to `maximum`. */
int apw_settings_mebibytes(const char *text, unsigned maximum, unsigned *mebibytes_r,
                           struct apw_error *error);

/* The index of the value in `names`, which end in NULL; -1 if it is none of them. */
int apw_settings_choice(const char *value, const char *const *names, struct apw_error *error);
int apw_settings_yes_no(const char *value, bool *is_yes_r, struct apw_error *error);

#endif
