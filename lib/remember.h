/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remember: matches of app passwords and stored hashes, so that the next login of the same client
 * need not compute the hash again.
 *
 * A small table of fixed size that holds only tags: keyed BLAKE2b over the entry's DN, the app
 * password and the stored hash, with a random key of this process. 75 random bits make such a fast
 * tag safe; account passwords, which people choose, are never remembered. The caller has just read
 * the stored hash from the directory, so a revoked or changed one matches nothing.
 *
 * Processes share nothing: a child of fork() starts with its own key and an empty table. Any thread
 * may call; one that would have to wait gets "no".
 */
#ifndef APW_REMEMBER_H
#define APW_REMEMBER_H

#include "error.h"
#include "password.h"
#include <stdbool.h>

struct apw_remember;

/* How long a match is remembered, in seconds. */
#define APW_REMEMBER_S 86400

/* An empty table, locked into memory if the system allows it. -1 without memory.
 * sodium_init() must have succeeded. */
int apw_remember_new(struct apw_remember **remember_r, struct apw_error *error);

/* Wipes it; takes a pointer to NULL. */
void apw_remember_free(struct apw_remember **remember);

/* Whether exactly this match was added within the last day. False when in doubt. */
bool apw_remember_has(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

/* Adds a match that apw_hash_verify() has just found, in place of the oldest of its set. */
void apw_remember_add(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

#endif
