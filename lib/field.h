/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field: the `key=value` parts of our directory values. Pure.
 */
#ifndef APW_FIELD_H
#define APW_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of a value, borrowed and not NUL-terminated. */
struct apw_field {
    const char *start;
    size_t length;
};

/* Takes "key=" from the front of *rest, and what follows up to a space (or all, for the last key).
 * Returns whether the key was there. */
bool apw_field_take(struct apw_field *rest, const char *key, bool is_last,
                    struct apw_field *value_r);

/* Takes a time such as 20261122101500Z in the same way; -1 if it is missing or no such time. */
int apw_field_take_time(struct apw_field *rest, const char *key, int64_t *seconds_r);

/* Whether the value begins with that text. */
bool apw_field_begins(const char *value, size_t length, const char *start);

/* Decodes base64url without padding (RFC 4648, 5); -1 if it is anything else, or longer than `size`
 * bytes. */
int apw_field_decode(const struct apw_field *field, uint8_t *bytes_r, size_t size,
                     size_t *length_r);

/* Copies it and appends a NUL; -1 if it does not fit or contains a NUL. */
int apw_field_copy(const struct apw_field *field, char *text_r, size_t size);

#endif
