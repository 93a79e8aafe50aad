/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa_switch: turns MFA of a user on and off, at once or from a date on.
 *
 * Each change is one modify, as manage.h says. With `is_dry_run` nothing is written.
 */
#ifndef APW_MFA_SWITCH_H
#define APW_MFA_SWITCH_H

#include "error.h"
#include "mfa.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MFA of a user: off, on, or on from a date, which is announced until then. */
struct apw_mfa_state {
    enum apw_mfa mfa; /* APW_MFA_UNREADABLE: the directory shows neither on nor off */
    bool has_from;
    bool is_from_readable;
    int64_t from;
    bool is_default; /* on because the user has no entry in the store */
};

/* When MFA is enforced. */
struct apw_mfa_start {
    /* MFA that is on, or announced, stays as it is. Neither on nor off counts as off. */
    bool is_only_if_off;
    const int64_t *from; /* NULL: at once; borrowed */
};

/* What was done. */
struct apw_mfa_switched {
    struct apw_mfa_state before;
    struct apw_mfa_state after;
    bool has_app_password; /* one that works now and that this identity may read */
    size_t withdrawn;      /* unused invitations that were removed */
};

/* Fails unless mfa_filter reads appPasswordMfaEnabled, which the functions below set, where they
 * set it. */
int apw_mfa_switch_check(const struct apw_config *config, struct apw_error *error);

/* Turning MFA off also removes the user's invitations that this identity may read: they would work
 * again as soon as MFA is on again. A user in the target must have been read `with_enrolment`.
 *
 * UNCHANGED if it is already so. REFUSED also if the flag is set but mfa_filter still finds the
 * contrary. Fills *switched_r with DONE and UNCHANGED. */
enum apw_manage_result apw_mfa_switch_on(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_mfa_start *start,
                                         struct apw_mfa_switched *switched_r,
                                         struct apw_error *error);
enum apw_manage_result apw_mfa_switch_off(const struct apw_manager *manager,
                                          const struct apw_target *target,
                                          struct apw_mfa_switched *switched_r,
                                          struct apw_error *error);

/* Off again, if MFA is only announced when the change is made; REFUSED if it is enforced. */
enum apw_manage_result apw_mfa_switch_take_back(const struct apw_manager *manager,
                                                const struct apw_target *target,
                                                struct apw_mfa_switched *switched_r,
                                                struct apw_error *error);

#endif
