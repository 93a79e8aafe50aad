/*
 * finding: what may be amiss with an app password. What `report` tells of and `revoke` sweeps up.
 */
#ifndef APW_FINDING_H
#define APW_FINDING_H

#include "command.h"
#include "user.h"
#include <stdbool.h>
#include <stdint.h>

/* Valid until before `now`. */
bool apw_finding_is_expired(const struct apw_managed_password *password, int64_t now);

/* Still valid, but not in `period` seconds any more. */
bool apw_finding_is_expiring(const struct apw_managed_password *password, int64_t now,
                             int64_t period);

/* Valid, older than `period` seconds, and not used since. Not where a use of it is recorded that
 * cannot be read. */
bool apw_finding_is_unused(const struct apw_user *user, const struct apw_managed_password *password,
                           int64_t now, int64_t period);

/* Whether any use under the base is recorded within the last `period` seconds. Where none is,
 * nobody records them, and that an app password has none says nothing. */
enum apw_manage_result apw_finding_has_uses(const struct apw_manager *manager, int64_t now,
                                            int64_t period, bool *has_uses_r,
                                            struct apw_error *error);

#endif
