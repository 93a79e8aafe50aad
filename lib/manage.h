/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manage: creates and revokes app passwords, for the command and the portal. The directory's access
 * rules decide who may.
 *
 * Each change is one modify: all of it or nothing. After a concurrent change it reads the entry and
 * tries again, a few times. With `is_dry_run` it writes nothing and returns the likely result.
 * sodium_init() must have succeeded.
 */
#ifndef APW_MANAGE_H
#define APW_MANAGE_H

#include "error.h"
#include "invitation.h"
#include "password.h"
#include "password_spec.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the user has an app password that is usable and has not expired at `now`. */
bool apw_manage_has_working_password(const struct apw_user *user, int64_t now);

/* Whether the account has ended, by its attributes and by disabled_filter. The reason is in the
 * error unless it is active. */
enum apw_account_state apw_manage_account_state(const struct apw_manager *manager,
                                                const struct apw_user *user,
                                                struct apw_error *error);

/* Whether apw_manage_create() would refuse this user: the account has ended, MFA is off, or there
 * are too many. DONE if not. */
enum apw_manage_result apw_manage_may_create(const struct apw_manager *manager,
                                             const struct apw_user *user,
                                             const struct apw_password_spec *spec,
                                             struct apw_error *error);

/* Makes an app password, which ends as apw_password_spec_limit() says, and stores its hash. Fills
 * *password_r only after APW_MANAGE_DONE; the caller wipes it. Concurrent calls all succeed, and
 * may together exceed max_app_passwords. */
enum apw_manage_result apw_manage_create(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_password_spec *spec,
                                         struct apw_password *password_r, struct apw_error *error);

/* A request for an invitation. Borrowed. */
struct apw_manage_invitation {
    const struct apw_password_spec *spec; /* of the app password that is made when the link is used;
                                             without_mfa and is_forced do not apply */
    int64_t valid_s;
    const char *factor; /* see invitation.h; NULL for none */
};

/* Stores a new invitation, and removes those that have expired. Fills *invitation_r, and `token_r`,
 * which the caller wipes, only after APW_MANAGE_DONE. */
enum apw_manage_result apw_manage_invite(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_manage_invitation *wish,
                                         struct apw_invitation *invitation_r,
                                         char token_r[APW_TOKEN_SIZE], struct apw_error *error);

/* Replaces every value with that (canonical) id, even an unusable one, with a tombstone, and
 * removes old tombstones (see revoke_plan.h). appPasswordUsed stays: it has the last use, and keeps
 * the id from being used again. An id may also be that of an invitation, which is removed, if the
 * manager is `with_enrolment`. */
enum apw_manage_result apw_manage_revoke(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         struct apw_error *error);

/* Gives the app password with that id another label; nothing else of it changes. UNCHANGED if it
 * has that label, INVALID for a bad label or an unusable app password. */
enum apw_manage_result apw_manage_rename(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         const char *label, struct apw_error *error);

/* Deletes them all, even unreadable and hidden ones, and invitations, and leaves a tombstone for
 * each app password that it could read; UNCHANGED if there is none. *count_r (may be NULL) is the
 * number of those that it could read, and of invitations. */
enum apw_manage_result apw_manage_revoke_all(const struct apw_manager *manager,
                                             const struct apw_target *target, size_t *count_r,
                                             struct apw_error *error);

/* Calls for the id of each app password and invitation that this deletes, "" for an unreadable one.
 */
void apw_manage_each_id(const struct apw_user *user,
                        void (*callback)(void *context, const char *id), void *context);

#endif
