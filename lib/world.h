/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world: how the decision reaches the directory, the clock and what the process remembers. Unit
 * tests bring their own.
 */
#ifndef APW_WORLD_H
#define APW_WORLD_H

#include "error.h"
#include "ldap/directory.h"
#include "remember.h"
#include "repeat.h"
#include "witness.h"
#include <stddef.h>
#include <stdint.h>

/* Deadlines are moments of apw_clock_monotonic_ms(). */
struct apw_world {
    enum apw_ldap_result (*search)(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error);
    enum apw_ldap_result (*search_series)(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error);
    enum apw_user_bind (*bind_user)(void *context, const char *dn, const char *password,
                                    size_t password_length, int64_t deadline,
                                    struct apw_error *error);
    int64_t (*now)(void *context); /* seconds since 1970 */
    void *context;
    struct apw_tags *remember;       /* NULL: every hash is computed. Borrowed. */
    struct apw_tags *names;          /* names of one entry; NULL: looked up each time. Borrowed. */
    struct apw_repeat_table *repeat; /* NULL: repetitions are not noticed. Borrowed. */
    struct apw_witness *mfa_witness; /* NULL: the witness is looked up each time. Borrowed. */
    struct apw_witness *disabled_witness; /* as above */
    const struct apw_world *store;        /* the world of the store; NULL without one. Borrowed. */
};

/* The real one. Borrows the directory; remembers nothing. */
struct apw_world apw_world_of(struct apw_directory *directory);

#endif
