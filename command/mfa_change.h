/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa_change: tells what turning MFA on or off has changed.
 */
#ifndef APW_MFA_CHANGE_H
#define APW_MFA_CHANGE_H

#include "mfa_switch.h"

/* Prints "bob: announced for 2026-12-14 → enforced now" on standard output. */
void apw_mfa_change_print(const char *name, const struct apw_mfa_switched *switched,
                          bool is_dry_run);

/* Prints "bob: unchanged, announced for 2026-12-14". */
void apw_mfa_change_print_unchanged(const char *name, const struct apw_mfa_switched *switched);

/* Whether MFA is enforced only from a date in the future. */
bool apw_mfa_change_is_announced(const struct apw_mfa_state *state);

/* Says on standard error that without an app password no program of this user can sign in. */
void apw_mfa_change_warn(const char *name, const struct apw_mfa_state *after, bool is_dry_run);

#endif
