/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remember: matches of app passwords and stored hashes, so that the next login of the same client
 * need not compute the hash again.
 *
 * Kept as a tag (tags.h) over the entry's DN, the app password and the stored hash. 75 random bits
 * make such a fast tag safe; account passwords, which people choose, are never remembered. The
 * caller has just read the stored hash from the directory, so a revoked or changed one matches
 * nothing.
 */
#ifndef APW_REMEMBER_H
#define APW_REMEMBER_H

#include "error.h"
#include "password.h"
#include "tags.h"
#include <stdbool.h>

/* How long a match is remembered, in seconds. */
#define APW_REMEMBER_S 86400

/* For how many app passwords, at most. */
#define APW_REMEMBER_MAX 1000000

/* See apw_tags_new(). */
int apw_remember_new(unsigned maximum, struct apw_tags **remember_r, struct apw_error *error);

/* Whether exactly this match was added within the last day. False when in doubt. */
bool apw_remember_has(struct apw_tags *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

/* Adds a match that apw_hash_verify() has just found. So only those who know an app password can
 * make the table grow, by one for each. */
void apw_remember_add(struct apw_tags *remember, const char *dn,
                      const struct apw_password *password, const char *phc);

#endif
