/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reverse_names: host names of addresses, from the system's resolver, within a time limit, which
 * getnameinfo() does not have.
 *
 * Whoever has an address decides what its name is. So a name counts only if the resolver finds the
 * address under it, and if it is made of letters, digits, hyphens and dots like a host name (RFC
 * 1123, 2.1).
 *
 * Up to 16 threads look up. What they find, or that there is nothing, is kept for ten minutes, for
 * 256 addresses. Thread-safe.
 */
#ifndef APW_REVERSE_NAMES_H
#define APW_REVERSE_NAMES_H

#include "error.h"

#define APW_REVERSE_NAME_SIZE 101 /* longer names are not shown */

struct apw_reverse_names;

int apw_reverse_names_new(struct apw_reverse_names **names_r, struct apw_error *error);

/* Does not wait for a thread that is looking up: the last one frees the rest. Takes NULL. */
void apw_reverse_names_free(struct apw_reverse_names **names);

/* Begins to look up an address, unless its name is known. Ask for all before waiting for one. */
void apw_reverse_names_ask(struct apw_reverse_names *names, const char *address);

/* The name in lower case, "" if there is none. It waits until half a second after the first
 * question for that address; a later answer is there the next time. */
void apw_reverse_names_get(struct apw_reverse_names *names, const char *address,
                           char name_r[APW_REVERSE_NAME_SIZE]);

#endif
