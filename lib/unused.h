/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unused: which app passwords nobody uses any more.
 *
 * Moments are seconds since 1970. A use that cannot be read counts as one of today.
 */
#ifndef APW_UNUSED_H
#define APW_UNUSED_H

#include "user.h"
#include <stdbool.h>
#include <stdint.h>

/* The last use, or the creation of one that was never used; APW_POLICY_NEVER if that is unknown, or
 * if this app password does not work at `now` anyway. */
int64_t apw_unused_since(const struct apw_user *user, const struct apw_managed_password *password,
                         int64_t now);

/* Works, and is neither younger than `period` seconds nor was used within them. */
bool apw_unused_is(const struct apw_user *user, const struct apw_managed_password *password,
                   int64_t now, int64_t period);

/* When revoke_unused revokes it, unless it is used before; this may have passed. APW_POLICY_NEVER
 * if nothing will. */
int64_t apw_unused_end(const struct apw_config *config, const struct apw_user *user,
                       const struct apw_managed_password *password, int64_t now);

/* Whether any use below the base is recorded within the last `period` seconds. If not, uses are
 * probably not recorded: then nothing may be revoked because it is unused. */
enum apw_manage_result apw_unused_has_uses(const struct apw_manager *manager, int64_t now,
                                           int64_t period, bool *has_uses_r,
                                           struct apw_error *error);

#endif
