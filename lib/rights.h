/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rights: whether the identity that manages is a mail administrator, so that a refusal names what
 * is missing: the schema, or rights of this identity.
 *
 * All of it asks the directory, and only after something went wrong or nothing was found. It does
 * nothing unless the manager is `explained`.
 */
#ifndef APW_RIGHTS_H
#define APW_RIGHTS_H

#include "error.h"
#include "user.h"

/* NOT_PERMITTED if the directory refuses the password of our own bind: for many users, each attempt
 * would count as a wrong password. DONE otherwise, even if it does not answer. */
enum apw_manage_result apw_rights_check_bind(const struct apw_manager *manager,
                                             struct apw_error *error);

/* Takes the result of a change of this user's entry. If this identity may not make it, or the
 * schema is missing, says so in front of `error`, and returns NOT_PERMITTED or CONFIGURATION;
 * otherwise `result`. */
enum apw_manage_result apw_rights_explain(const struct apw_manager *manager,
                                          const struct apw_user *user,
                                          enum apw_manage_result result, struct apw_error *error);

/* Whether this identity could have seen app passwords and MFA of a user who seems to have none, or
 * none that can be read. APW_MANAGE_DONE if so, or if nobody knows; otherwise `error` says why not.
 */
enum apw_manage_result apw_rights_check(const struct apw_manager *manager,
                                        const struct apw_user *user, struct apw_error *error);

/* The same after a failure, whose result and error stay if this identity could have seen them. */
enum apw_manage_result apw_rights_check_after(const struct apw_manager *manager,
                                              const struct apw_user *user,
                                              enum apw_manage_result result,
                                              struct apw_error *error);

/* The same for the first user, if nobody seems to have any. */
enum apw_manage_result apw_rights_check_any(const struct apw_manager *manager,
                                            struct apw_error *error);

#endif
