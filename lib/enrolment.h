/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enrolment: the user's second factors and the codes to set one up, as stored in the directory.
 */
#ifndef APW_ENROLMENT_H
#define APW_ENROLMENT_H

#include "error.h"
#include "password.h"
#include "user.h"
#include <stdbool.h>

/* Removes all second factors, and everything else but reminders; UNCHANGED if there are none. */
enum apw_manage_result apw_enrolment_reset(const struct apw_manager *manager,
                                           const struct apw_target *target,
                                           struct apw_error *error);

/* Makes a single-use enrollment code, valid for APW_ENROLMENT_CODE_SECONDS, and removes earlier
 * ones; with `reset`, all second factors too, as above. Fills *code_r only after APW_MANAGE_DONE;
 * the caller wipes it. */
enum apw_manage_result apw_enrolment_make_code(const struct apw_manager *manager,
                                               const struct apw_target *target, bool reset,
                                               struct apw_password *code_r,
                                               struct apw_error *error);

/* Values of appPasswordMfaMethod; NULL for none. */
struct apw_enrolment_change {
    const char *removed[2];
    const char *added[2];
};

/* Makes the change and, in the same step, removes every enrollment code that `user` was read with.
 * Of several concurrent calls that remove the same value all but one therefore end in
 * APW_MANAGE_CONFLICT. If there was nothing to remove, check afterwards. The user must have been
 * read `with_enrolment`. */
enum apw_manage_result apw_enrolment_change_methods(const struct apw_manager *manager,
                                                    const struct apw_user *user,
                                                    const struct apw_enrolment_change *change,
                                                    struct apw_error *error);

/* Deletes exactly this value of appPasswordMfaMethod; UNCHANGED if it is not there. */
enum apw_manage_result apw_enrolment_remove_method(const struct apw_manager *manager,
                                                   const struct apw_user *user, const char *value,
                                                   struct apw_error *error);

#endif
