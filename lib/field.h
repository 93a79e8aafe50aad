/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field: the `key=value` parts of our directory values. Pure.
 */
#ifndef APW_FIELD_H
#define APW_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* Part of a value, borrowed and not NUL-terminated. */
struct apw_field {
    const char *start;
    size_t length;
};

/* Takes "key=" from the front of *rest, and what follows up to a space (or all, for the last key).
 * Returns whether the key was there. */
bool apw_field_take(struct apw_field *rest, const char *key, bool is_last,
                    struct apw_field *value_r);

/* Copies it and appends a NUL; -1 if it does not fit or contains a NUL. */
int apw_field_copy(const struct apw_field *field, char *text_r, size_t size);

#endif
