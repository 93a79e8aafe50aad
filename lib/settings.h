/*
 * settings: a configuration file of `key value` lines; '#' comments whole lines only.
 *
 * An unknown or repeated key, a key without a value, a missing file or a value that its setter does
 * not take fails with "file:line: what is wrong, what would be right".
 */
#ifndef APW_SETTINGS_H
#define APW_SETTINGS_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

/* Takes a value into *target; -1 with what is wrong and what would be right. */
typedef int (*apw_setter)(void *target, const char *value, struct apw_error *error);

struct apw_key {
    const char *name;
    apw_setter set;
};

#define APW_KEYS_MAX 32

/* What may stand in a file. Values are set in the order of this table, not of the file. */
struct apw_key_table {
    const char *manual; /* the man page that lists the keys */
    size_t count;       /* at most APW_KEYS_MAX */
    const struct apw_key *key;
};

/* Reads the file into *target by the setters of the table. Keys of which `is_passed_over` (may be
 * NULL) says so are read and not set. On -1 *target holds what had been set until then. */
int apw_settings_read(const char *path, const struct apw_key_table *table,
                      bool (*is_passed_over)(const struct apw_key *key), void *target,
                      struct apw_error *error);

/* What setters need. */

int apw_setting_copy(const char *value, char **copy_r, struct apw_error *error);
int apw_setting_check_absolute(const char *path, struct apw_error *error);

#endif
