/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_merge: the changes that bring what one entry has of ours into another entry of the same
 * user. Pure.
 *
 * App passwords are merged by id: a revoked one stays revoked, wherever it was revoked. Of the uses
 * of an id, the last one stays. Of anything else, nothing is replaced, and nothing that was removed
 * there comes back: that is a conflict, and left as it is.
 */
#ifndef APW_STORE_MERGE_H
#define APW_STORE_MERGE_H

#include "error.h"
#include "ldap/entry.h"
#include "ldap/modify.h"
#include "user.h"
#include <stddef.h>

#define APW_STORE_MERGE_FLAG   "appPasswordMfaEnabled"
#define APW_STORE_MERGE_FROM   "appPasswordMfaEnforceFrom"
#define APW_STORE_MERGE_METHOD "appPasswordMfaMethod"
#define APW_STORE_MERGE_USED   "appPasswordUsed"

/* Our attributes of a user; NULL follows. */
extern const char *const apw_store_merge_attributes[];

/* Both sides. Borrowed. */
struct apw_store_pair {
    const struct apw_entry *from;
    const struct apw_entry *to; /* NULL if there is none yet */
    const char *flag;           /* appPasswordMfaEnabled as it must be there; NULL: not copied */
};

/* Owned: apw_store_merge_clear(). Borrows the pair. */
struct apw_store_merge {
    size_t count;
    struct apw_change *change; /* with room for one more, which the caller may add */
    size_t size;
    char **value;              /* copies */
    size_t conflicts;          /* values that are not copied */
    struct apw_error conflict; /* about the first of them */
};

/* Plans the changes; UNCHANGED if there are none, though there may be conflicts. UNAVAILABLE
 * without memory. */
enum apw_manage_result apw_store_merge_plan(const struct apw_store_pair *pair,
                                            struct apw_store_merge *merge_r,
                                            struct apw_error *error);

/* How many values the changes add to that attribute. */
size_t apw_store_merge_count(const struct apw_store_merge *merge, const char *attribute);

void apw_store_merge_clear(struct apw_store_merge *merge); /* wipes */

#endif
