/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method_seal: seals second factors for appPasswordMfaMethod, and opens them. Pure.
 *
 * A factor is sealed (seal.h) with the portal's key and bound to its kind, its version and the
 * entry. Administrators can read its kind:
 *
 *   factor v=2 kind=totp sealed=<base64url of nonce and ciphertext>
 *
 * Version 0.1 had one factor for each user, and its value was only "sealed=…", bound to the entry's
 * id alone. It is still read, and rewritten when the factor is used.
 */
#ifndef APW_METHOD_SEAL_H
#define APW_METHOD_SEAL_H

#include "method.h"

/* Writes the sealed value. `unique_id` is the entry's, as the directory writes it. Fails unless
 * apw_method_open() would return the same struct. sodium_init() must have succeeded. */
int apw_method_seal(const struct apw_method *method, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, char value_r[APW_METHOD_VALUE_SIZE],
                    struct apw_error *error);

/* Opens one; -1 if it was sealed with another key or for another entry, or has been changed. */
int apw_method_open(const char *value, size_t length, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, struct apw_method *method_r, struct apw_error *error);

/* Reads the kind of a sealed value without opening it; -1 if it is none, or one of 0.1, which does
 * not tell. */
int apw_method_peek(const char *value, size_t length, enum apw_method_kind *kind_r);

/* Whether it is a second factor, by the start of the value: of this version, of 0.1 or of a later
 * one. */
bool apw_method_is_sealed(const char *value, size_t length);

#endif
