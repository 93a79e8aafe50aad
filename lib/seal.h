/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seal: texts that only the portal can read or write, as values of appPasswordMfaMethod. Pure.
 *
 *   HEADsealed=<base64url of nonce and ciphertext>
 *
 * XChaCha20-Poly1305. A value is bound to its head and to the entry's id: it is useless on another
 * entry, and survives a rename.
 */
#ifndef APW_SEAL_H
#define APW_SEAL_H

#include "field.h"
#include <stddef.h>
#include <stdint.h>

#define APW_SEAL_KEY_BYTES 32
#define APW_SEAL_PLAIN_MAX 2304

/* With which key, and to what it is bound. Borrowed. */
struct apw_seal {
    const uint8_t *key;
    const char *head;      /* in front of "sealed=" */
    const char *unique_id; /* of the entry, as the directory writes it */
};

/* Writes the value; -1 if it does not fit. sodium_init() must have succeeded. */
int apw_seal_close(const struct apw_seal *seal, const char *plain, size_t length, char *value_r,
                   size_t size);

enum apw_seal_result {
    APW_SEAL_MALFORMED = 0,
    APW_SEAL_FOREIGN, /* sealed with another key or for another entry, or changed */
    APW_SEAL_OPEN,
};

/* Opens what follows the head. The caller wipes plain_r. */
enum apw_seal_result apw_seal_open(const struct apw_seal *seal, struct apw_field rest,
                                   char plain_r[APW_SEAL_PLAIN_MAX], size_t *length_r);

#endif
