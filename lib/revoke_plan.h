/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * revoke_plan: what one modify has to change so that app passwords are revoked.
 *
 * A tombstone takes the place of each value that has an id. Of the tombstones, the newest 20 stay,
 * and those of the last 400 days, of which there may be 500.
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
    struct apw_change *change; /* with room for two more, which the caller may add */
    size_t revoked;            /* app passwords that go */
    size_t text_count;
    char (*text)[APW_TOMBSTONE_SIZE];
};

/* Plans to revoke the values with that id. REFUSED where one cannot be named in a change,
 * UNAVAILABLE without memory; *plan_r is empty then. */
enum apw_manage_result apw_revoke_plan_one(const struct apw_user *user, const char *id, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error);

/* Plans to revoke them all, whatever they look like and whether they could be read. */
enum apw_manage_result apw_revoke_plan_all(const struct apw_user *user, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error);

/* Plans to take away the tombstones that are too old, and nothing else. */
enum apw_manage_result apw_revoke_plan_prune(const struct apw_user *user, int64_t now,
                                             struct apw_revoke_plan *plan_r,
                                             struct apw_error *error);

void apw_revoke_plan_clear(struct apw_revoke_plan *plan);

#endif
