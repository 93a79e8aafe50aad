/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphan_search: finds the entries of the store whose id nobody in the users' directory has.
 *
 * Many outages look like that: a wrong base, an id that this identity may not read, another
 * id_attribute, a replica that is behind. So an entry is an orphan only if each server of the
 * users' directory finds another user by the id and then, on the same connection, nobody with this
 * one.
 */
#ifndef APW_ORPHAN_SEARCH_H
#define APW_ORPHAN_SEARCH_H

#include "session.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_orphan_entry {
    char *dn;
    char *id;
    char *name;       /* the remark, or the id */
    bool is_orphan;   /* nobody has the id */
    bool is_strange;  /* no user can have it: id_attribute may have been another one */
    bool is_recorded; /* appPasswordOrphanSince is there */
    bool has_since;   /* and readable: */
    int64_t since;    /* seconds since 1970 */
};

/* The entries of the store without a user, and those that had none at an earlier run: all others
 * are only counted, so that a large store needs no more memory than a small one. */
struct apw_orphan_entries {
    size_t total; /* of the store */
    size_t count;
    struct apw_orphan_entry *entry;
    char *control; /* the id of somebody who was found; NULL if nobody was */
};

/* Fills *entries_r, also if it fails: apw_orphan_entries_clear(). REFUSED if the directories
 * answered, but that proves nothing. */
enum apw_manage_result apw_orphan_search(const struct apw_session *session,
                                         struct apw_orphan_entries *entries_r,
                                         struct apw_error *error);

void apw_orphan_entries_clear(struct apw_orphan_entries *entries);

#endif
