/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method: one value of appPasswordMfaMethod <-> struct. Pure.
 *
 * The attribute has several kinds of values (another: guesses.h). One is a second factor; a user
 * may have several. Inside the seal (method_seal.h) it is
 *
 *   id=1f2e3d4c since=20261122101500Z used=20261129101500Z step=59844750 secret=<hex> name=My phone
 *   id=1f2e3d4c since=20261122101500Z address=alice@example.net name=
 *   id=1f2e3d4c since=20261122101500Z credential=<base64url> alg=-7 key=<base64url> counter=1
 *     flags=1d name=My key
 *   id=1f2e3d4c since=20261122101500Z codes=<ten hashes in base64url, or "-"> name=
 *
 * `used` is missing until the factor is used. The name may be empty. Version 0.1 wrote
 *
 *   method=app since=20261122101500Z step=59844750 secret=<hex>
 *   method=mail since=20261122101500Z address=alice@example.net
 *
 * Another is an unused single-use enrollment code, stored like an app password:
 *
 *   code created=20261122101500Z expires=20261129101500Z hash={ARGON2}$argon2id$v=19$…
 */
#ifndef APW_METHOD_H
#define APW_METHOD_H

#include "error.h"
#include "mail_address.h"
#include "record.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum apw_method_kind {
    APW_METHOD_APP = 0,  /* an authenticator app: TOTP (RFC 6238), SHA-1, 6 digits, 30 seconds */
    APW_METHOD_MAIL,     /* codes by mail to an alternate address */
    APW_METHOD_PASSKEY,  /* a passkey or a security key: WebAuthn level 2 */
    APW_METHOD_RECOVERY, /* single-use codes for somebody who has lost the others */
#define APW_METHOD_KIND_COUNT (APW_METHOD_RECOVERY + 1)
};

#define APW_METHOD_SECRET_BYTES    20 /* RFC 4226, 4, R6 */
#define APW_METHOD_KEY_BYTES       32
#define APW_METHOD_VALUE_SIZE      3200
#define APW_METHOD_CREDENTIAL_MAX  1023 /* WebAuthn level 3, 4 */
#define APW_METHOD_PUBLIC_KEY_MAX  259  /* RSA of 2048 bits */
#define APW_METHOD_CODES           10
#define APW_METHOD_CODE_HASH_BYTES 16
#define APW_METHOD_ID_SIZE         9          /* eight hexadecimal digits, and NUL */
#define APW_METHOD_OLD_ID          "00000000" /* of a factor that 0.1 has stored */

/* A second factor. Secret: wipe it. */
struct apw_method {
    enum apw_method_kind kind;
    char id[APW_METHOD_ID_SIZE];             /* tells the factors of one person apart */
    int64_t since;                           /* seconds since 1970 */
    int64_t used;                            /* last; 0 for never */
    char name[APW_LABEL_SIZE];               /* given by its owner, "" for none */
    uint8_t secret[APW_METHOD_SECRET_BYTES]; /* APP */
    uint64_t counter;                        /* APP: of the last code used (RFC 6238: T) */
    char address[APW_MAIL_ADDRESS_SIZE];     /* MAIL */
    /* PASSKEY; `counter` is its signature counter */
    size_t credential_length;
    uint8_t credential[APW_METHOD_CREDENTIAL_MAX];
    int algorithm; /* COSE (RFC 9053) */
    size_t public_key_length;
    uint8_t public_key[APW_METHOD_PUBLIC_KEY_MAX]; /* as libfido2 keeps it */
    uint8_t flags;                                 /* of the last use (WebAuthn 6.1) */
    /* RECOVERY: hashes of the codes; zeroes for one that was used */
    uint8_t code_hash[APW_METHOD_CODES][APW_METHOD_CODE_HASH_BYTES];
};

/* As in the directory and in configuration files: "totp", "mail", "passkey", "recovery". */
const char *apw_method_kind_name(enum apw_method_kind kind);
int apw_method_kind_read(const char *name, size_t length, enum apw_method_kind *kind_r);

bool apw_method_is_id(const char *text, size_t length);

/* Makes a random id. sodium_init() must have succeeded. */
void apw_method_make_id(char id_r[APW_METHOD_ID_SIZE]);

#define APW_METHOD_PLAIN_SIZE 2304

/* Writes what is to be sealed; returns the length, -1 unless the functions below would return the
 * same struct. Wipe it. */
int apw_method_plain_write(const struct apw_method *method, char plain_r[APW_METHOD_PLAIN_SIZE]);

/* Reads what was sealed, by this version or by 0.1. -1 leaves *method_r half filled: wipe it. */
int apw_method_plain_read(enum apw_method_kind kind, const char *plain, size_t length,
                          struct apw_method *method_r);
int apw_method_plain_read_old(const char *plain, size_t length, struct apw_method *method_r);

/* Looks at the start of the value. */
bool apw_method_is_code(const char *value, size_t length);

/* Whether both are the same enrollment, used or not. */
bool apw_method_is_same(const struct apw_method *left, const struct apw_method *right);

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
