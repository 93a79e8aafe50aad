/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash: the only user of crypto_pwhash. Argon2id as a PHC string, the way libsodium writes it.
 */
#ifndef APW_HASH_H
#define APW_HASH_H

#include "error.h"
#include "password.h"
#include "record.h"
#include <stdbool.h>

/* Upper bounds for the configuration and for stored hashes. */
#define APW_HASH_MEMORY_MAX_MIB 256
#define APW_HASH_PASSES_MAX     10

/* A stored hash may cost this many times what new ones do. */
#define APW_HASH_COST_FACTOR 4

/* The cost of one hash, which always has one lane. */
struct apw_hash_cost {
    unsigned memory_kib;
    unsigned passes;
};

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

/* The most that a stored hash may cost if new ones cost this much. Zeros allow no hash. */
struct apw_hash_cost apw_hash_cap(unsigned memory_mib, unsigned passes);

/* Whether a stored string can be verified here, without computing anything; -1 says why not. */
int apw_hash_check(const char *phc, const struct apw_hash_cost *cap, struct apw_error *error);

/* The cost of a stored string, which may be over the cap; zeros if it is no hash of ours. */
struct apw_hash_cost apw_hash_cost_of(const char *phc);

/* Whether it takes more memory or more passes than new ones. */
bool apw_hash_is_costly(const struct apw_hash_cost *cost, unsigned memory_mib, unsigned passes);

/* Computes one hash and compares in constant time. Checks the cost first. */
enum apw_hash_result apw_hash_verify(const char *phc, const struct apw_hash_cost *cap,
                                     const struct apw_password *password, struct apw_error *error);

#endif
