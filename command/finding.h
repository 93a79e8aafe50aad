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

/* Works, and would end earlier with a max_lifetime of `period` seconds. *end_r is when; it may have
 * passed. */
bool apw_finding_exceeds(const struct apw_managed_password *password, int64_t now, int64_t period,
                         int64_t *end_r);

/* So many wrong codes were entered lately that the owner got a mail, or the count is unreadable.
 * The user was read `with_enrolment`. */
bool apw_finding_is_guessed(const struct apw_user *user, int64_t now, struct apw_error *error);

/* The user has one second factor, and gets help from an administrator alone if it is lost. Read as
 * above. */
bool apw_finding_is_single(const struct apw_user *user);

/* Calls for every user for whom MFA is on, announced or enforced, and whose own entry also matches
 * `filter`, unless that is NULL. See apw_user_each(). Begins a progress, which the caller ends. */
enum apw_manage_result apw_finding_each_with_mfa(const struct apw_manager *manager,
                                                 const char *filter, apw_user_callback callback,
                                                 void *context, struct apw_error *error);

#endif
