/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finding: problems of app passwords that `report` lists and `revoke` removes.
 */
#ifndef APW_FINDING_H
#define APW_FINDING_H

#include "user.h"
#include <stdbool.h>
#include <stdint.h>

bool apw_finding_is_expired(const struct apw_managed_password *password, int64_t now);

/* Expires within `period` seconds, but has not yet. */
bool apw_finding_is_expiring(const struct apw_managed_password *password, int64_t now,
                             int64_t period);

/* Valid, older than `period` seconds, and not used within them. False if it has a recorded use that
 * cannot be read. */
bool apw_finding_is_unused(const struct apw_user *user, const struct apw_managed_password *password,
                           int64_t now, int64_t period);

/* So many wrong codes were entered lately that the owner got a mail, or the count is unreadable.
 * The user was read `with_enrolment`. */
bool apw_finding_is_guessed(const struct apw_user *user, int64_t now, struct apw_error *error);

/* Whether any use below the base is recorded within the last `period` seconds. If not, uses are
 * probably not recorded, and apw_finding_is_unused() says nothing. */
enum apw_manage_result apw_finding_has_uses(const struct apw_manager *manager, int64_t now,
                                            int64_t period, bool *has_uses_r,
                                            struct apw_error *error);

#endif
