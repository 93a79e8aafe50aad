/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash: the only user of crypto_pwhash. Argon2id as a PHC string, the way libsodium writes it.
 */
#ifndef APW_HASH_H
#define APW_HASH_H

#include "error.h"
#include "password.h"
#include "record.h"

/* Caps for stored hashes. */
#define APW_HASH_MEMORY_MAX_MIB 256
#define APW_HASH_PASSES_MAX     10

enum apw_hash_result {
    APW_HASH_MISMATCH = 0,
    APW_HASH_MATCH,
    APW_HASH_UNUSABLE,  /* not argon2id, not as libsodium makes them, or over the cap */
    APW_HASH_NO_MEMORY, /* says nothing about the password */
};

/* Makes the PHC string ($argon2id$v=19$m=…) with a fresh salt. -1 without memory.
 * sodium_init() must have succeeded. */
int apw_hash_make(const struct apw_password *password, unsigned memory_mib, unsigned passes,
                  char phc_r[APW_HASH_TEXT_SIZE], struct apw_error *error);

/* Whether a stored string can be verified here, without computing anything; -1 says why not. */
int apw_hash_check(const char *phc, struct apw_error *error);

/* Computes one hash and compares in constant time. Checks the cost first. */
enum apw_hash_result apw_hash_verify(const char *phc, const struct apw_password *password,
                                     struct apw_error *error);

#endif
