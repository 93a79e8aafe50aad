/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tags: facts that this process has found recently, as keyed tags.
 *
 * Keeps only a tag of 16 bytes of each fact, under a key that never leaves the process. The table
 * grows with use, to at most 48 bytes for each tag, but from 128 slots on. At its maximum, and
 * without memory, a new tag replaces any other one. After fork() a child starts with a key of its
 * own and an empty table. Any thread may call at any time, and none waits: a thread that finds the
 * table in use finds nothing and adds nothing.
 */
#ifndef APW_TAGS_H
#define APW_TAGS_H

#include "error.h"
#include <stdbool.h>

struct apw_tags;

/* An empty table for up to `maximum` tags, locked into memory if the system allows it, that forgets
 * after so many seconds. -1 without memory. sodium_init() must have succeeded. */
int apw_tags_new(int lifetime_s, unsigned maximum, struct apw_tags **tags_r,
                 struct apw_error *error);
void apw_tags_free(struct apw_tags **tags); /* wipes; takes a pointer to NULL */

/* Whether exactly these strings, which end in NULL, were added and are not forgotten. False when in
 * doubt. */
bool apw_tags_have(struct apw_tags *tags, const char *const *parts);
void apw_tags_add(struct apw_tags *tags, const char *const *parts);

#endif
