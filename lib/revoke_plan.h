/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * revoke_plan: the changes of one modify that revokes app passwords.
 *
 * A tombstone replaces each value with an id. The newest 20 tombstones stay, and up to 500 of the
 * last 400 days.
 */
#ifndef APW_REVOKE_PLAN_H
#define APW_REVOKE_PLAN_H

#include "error.h"
#include "ldap/modify.h"
#include "tombstone.h"
#include "user.h"
#include <stddef.h>
#include <stdint.h>

#define APW_REVOKE_PLAN_KEPT        20
#define APW_REVOKE_PLAN_KEPT_DAYS   400
#define APW_REVOKE_PLAN_KEPT_AT_ALL 500

/* Owned: apw_revoke_plan_clear(). Borrows the user's values. */
struct apw_revoke_plan {
    size_t count;
    struct apw_change *change; /* with room for four more of the caller, and user->method.count */
    size_t revoked;            /* app passwords that it revokes */
    size_t text_count;
    char (*text)[APW_TOMBSTONE_SIZE];
};

/* Plans to revoke the values with that id. REFUSED if one cannot be named in a change, UNAVAILABLE
 * without memory; *plan_r is then empty. */
enum apw_manage_result apw_revoke_plan_one(const struct apw_user *user, const char *id, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error);

/* Plans to revoke them all, even unreadable ones. */
enum apw_manage_result apw_revoke_plan_all(const struct apw_user *user, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error);

/* Plans only to remove old tombstones. */
enum apw_manage_result apw_revoke_plan_prune(const struct apw_user *user, int64_t now,
                                             struct apw_revoke_plan *plan_r,
                                             struct apw_error *error);

void apw_revoke_plan_clear(struct apw_revoke_plan *plan);

#endif
