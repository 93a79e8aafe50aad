/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repeat: whether a refused account password was sent before, by the same client for the same user.
 * A phone with an old password keeps sending it; an attacker sends many.
 *
 * A table of fixed size in the memory of this process. It holds no password, only tags of 64 bits:
 * keyed BLAKE2b of DN, client and password, under a random key that is never written anywhere and
 * is replaced, with all tags, every day. Only the answer leaves the process. Clients have tags of
 * their own, so that nobody can make another client's password look new.
 *
 * Nothing is shared between processes; a child after fork() begins with an empty table. Any thread
 * may call; if the lock is held, the answer is APW_REPEAT_UNKNOWN.
 */
#ifndef APW_REPEAT_H
#define APW_REPEAT_H

#include "error.h"
#include <stddef.h>

/* UNKNOWN: too little to compare with. NO: two others were sent, or more, and not this one. */
enum apw_repeat { APW_REPEAT_UNKNOWN = 0, APW_REPEAT_YES, APW_REPEAT_NO };

struct apw_repeat_table;

/* An empty table, locked into memory if the system allows it. -1 without memory. sodium_init() must
 * have succeeded. */
int apw_repeat_new(struct apw_repeat_table **table_r, struct apw_error *error);
void apw_repeat_free(struct apw_repeat_table **table); /* wipes; takes NULL */

/* Compares a refused password with the last eight of this client and user, and adds it. */
enum apw_repeat apw_repeat_note(struct apw_repeat_table *table, const char *dn, const char *client,
                                const char *password, size_t length);

#endif
