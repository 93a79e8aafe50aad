/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manage: create and revoke app passwords, turn MFA on and off. What the command and the portal do;
 * who may is the directory's ACL to say. Listing is apw_user_find().
 *
 * Each change is one modify: all of it or nothing. Where the entry changed in between, it is read
 * again and the change tried again, a few times. With `is_dry_run` nothing is written, and the
 * result is what would have come of it, as far as reading tells. sodium_init() must have succeeded.
 */
#ifndef APW_MANAGE_H
#define APW_MANAGE_H

#include "error.h"
#include "password.h"
#include "password_spec.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether mfa_filter reads appPasswordMfaEnabled, so that apw_manage_mfa_on() and _off() have an
 * effect. -1 with what would be right where it does not. */
int apw_manage_mfa_check(const struct apw_config *config, struct apw_error *error);

/* Turns MFA on; `enforce_from` NULL enforces at once. UNCHANGED where all is so already. REFUSED
 * also where the flag is set but mfa_filter still finds MFA off. */
enum apw_manage_result apw_manage_mfa_on(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const int64_t *enforce_from, struct apw_error *error);
enum apw_manage_result apw_manage_mfa_off(const struct apw_manager *manager,
                                          const struct apw_target *target, struct apw_error *error);

/* Whether the account has ended, by its attributes and by disabled_filter. The reason is in the
 * error unless it is active. */
enum apw_account_state apw_manage_account_state(const struct apw_manager *manager,
                                                const struct apw_user *user,
                                                struct apw_error *error);

/* Makes an app password and stores its hash. Only after APW_MANAGE_DONE is *password_r filled; the
 * caller wipes it. Of several calls at once on one entry all succeed
 * (max_app_passwords may then be exceeded by all but one of them). */
enum apw_manage_result apw_manage_create(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_password_spec *spec,
                                         struct apw_password *password_r, struct apw_error *error);

/* Replaces every value with that (canonical) id, the unusable ones too, by a tombstone, and takes
 * away tombstones that are too old (see revoke_plan.h). appPasswordUsed stays: it
 * tells when the app password was used last, and keeps its id from being given out again. */
enum apw_manage_result apw_manage_revoke(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         struct apw_error *error);

/* Deletes them all, whatever they look like and whether this identity may read them, and leaves a
 * tombstone for each that it could read; UNCHANGED where there is none. *count_r (may be NULL) says
 * how many could be read just before. */
enum apw_manage_result apw_manage_revoke_all(const struct apw_manager *manager,
                                             const struct apw_target *target, size_t *count_r,
                                             struct apw_error *error);

#endif
