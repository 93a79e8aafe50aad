/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method: one value of appPasswordMfaMethod <-> struct. Pure.
 *
 * The attribute has three kinds of values (the third: guesses.h). One is the user's second factor,
 * sealed with a key that only the portal has (XChaCha20-Poly1305) and bound to the entry's id, so
 * that it is useless on another entry and survives a rename:
 *
 *   sealed=<base64url of nonce and ciphertext>
 *
 * The other is an unused single-use enrollment code, stored like an app password:
 *
 *   code created=20261122101500Z expires=20261129101500Z hash={ARGON2}$argon2id$v=19$…
 */
#ifndef APW_METHOD_H
#define APW_METHOD_H

#include "error.h"
#include "record.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum apw_method_kind {
    APW_METHOD_APP = 0, /* an authenticator app: TOTP (RFC 6238), SHA-1, 6 digits, 30 seconds */
    APW_METHOD_MAIL,    /* codes by mail to an alternate address */
};

#define APW_METHOD_SECRET_BYTES 20 /* RFC 4226, 4, R6 */
#define APW_METHOD_ADDRESS_SIZE 255
#define APW_METHOD_KEY_BYTES    32
#define APW_METHOD_VALUE_SIZE   1024

/* A second factor. Secret: wipe it. */
struct apw_method {
    enum apw_method_kind kind;
    int64_t since;                           /* seconds since 1970 */
    uint8_t secret[APW_METHOD_SECRET_BYTES]; /* APP */
    uint64_t counter;                        /* APP: of the last code used (RFC 6238: T) */
    char address[APW_METHOD_ADDRESS_SIZE];   /* MAIL */
};

/* Writes the sealed value. `unique_id` is the entry's, as the directory writes it. Fails unless
 * apw_method_open() would return the same struct. sodium_init() must have succeeded. */
int apw_method_seal(const struct apw_method *method, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, char value_r[APW_METHOD_VALUE_SIZE],
                    struct apw_error *error);

/* Opens one; -1 if it was sealed with another key or for another entry, or has been changed. */
int apw_method_open(const char *value, size_t length, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, struct apw_method *method_r, struct apw_error *error);

/* Looks at the start of the value. */
bool apw_method_is_code(const char *value, size_t length);

/* Whether both are the same enrollment, used or not. */
bool apw_method_is_same(const struct apw_method *left, const struct apw_method *right);

/* Whether we send codes to `address`: user@domain in printable ASCII, with no character that has a
 * meaning to a mail program or in a header. */
bool apw_method_address_is_valid(const char *address);

/* An enrollment code as stored; the code itself is a struct apw_password. */
struct apw_enrolment_code {
    int64_t created;
    int64_t expires; /* valid while now < expires */
    char hash[APW_HASH_TEXT_SIZE];
};

#define APW_ENROLMENT_CODE_SECONDS (7 * 86400)

int apw_method_format_code(const struct apw_enrolment_code *code,
                           char value_r[APW_METHOD_VALUE_SIZE], struct apw_error *error);
int apw_method_parse_code(const char *value, size_t length, struct apw_enrolment_code *code_r,
                          struct apw_error *error);

#endif
