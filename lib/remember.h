/*
 * remember: which app password was found to match which stored hash, so that the next login of the
 * same client need not compute the hash again.
 *
 * A small table of fixed size: nothing but tags, each a keyed BLAKE2b over the entry's DN, the app
 * password and the stored hash, under a key that is made at random for this process. 75 random bits
 * make such a fast tag safe; account passwords, which people choose, never come here. Whoever asks
 * has read the stored hash from the directory just now, so what is revoked or changed there matches
 * nothing.
 *
 * Nothing is shared between processes: a child after fork() begins with a key of its own and an
 * empty table. Threads: any may ask; one that would have to wait is told "no".
 */
#ifndef APW_REMEMBER_H
#define APW_REMEMBER_H

#include "error.h"
#include "password.h"
#include <stdbool.h>

struct apw_remember;

/* How long a match is remembered, in seconds. */
#define APW_REMEMBER_S 86400

/* An empty table, locked into memory where the system allows it. -1 without memory.
 * sodium_init() must have succeeded. */
int apw_remember_new(struct apw_remember **remember_r, struct apw_error *error);

/* Wipes it; takes a pointer to NULL. */
void apw_remember_free(struct apw_remember **remember);

/* Whether exactly this match was added within the last day. False wherever it cannot be told. */
bool apw_remember_has(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

/* Adds a match that apw_hash_verify() has just found; the oldest of its neighbours makes room. */
void apw_remember_add(struct apw_remember *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

#endif
