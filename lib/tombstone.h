/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tombstone: replaces the value of a revoked app password in appPassword. Pure.
 *
 *   id=k7q2 created=20261122101500Z revoked=20270110080000Z label=Outlook on the laptop
 *
 * All keys, in this order, as apw_tombstone_format() writes them; there is no hash. A login with
 * its id is refused, and never tried as the account password.
 */
#ifndef APW_TOMBSTONE_H
#define APW_TOMBSTONE_H

#include "error.h"
#include "password.h"
#include "record.h"
#include <stddef.h>
#include <stdint.h>

#define APW_TOMBSTONE_SIZE 512

struct apw_tombstone {
    char id[APW_ID_LENGTH + 1];
    int64_t created;
    int64_t revoked;
    char label[APW_LABEL_SIZE]; /* UTF-8 */
};

/* Reads a whole value; -1 unless apw_tombstone_format() would write the very same bytes. `value`
 * need not end in NUL. */
int apw_tombstone_parse(const char *value, size_t length, struct apw_tombstone *tombstone_r);

/* Writes a value. Fails unless apw_tombstone_parse() would read it back. */
int apw_tombstone_format(const struct apw_tombstone *tombstone, char value_r[APW_TOMBSTONE_SIZE],
                         struct apw_error *error);

#endif
