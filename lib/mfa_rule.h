/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa_rule: whether filters can show that MFA is off, and that an account has not ended. Pure.
 */
#ifndef APW_MFA_RULE_H
#define APW_MFA_RULE_H

#include "error.h"

#define APW_MFA_RULE_DEFAULT     "(appPasswordMfaEnabled=TRUE)"
#define APW_MFA_RULE_DEFAULT_OFF "(appPasswordMfaEnabled=FALSE)"

/* Fails unless MFA can be read as off without a witness: a hidden attribute, a renamed group and a
 * proxy that drops an attribute all look like the negation of a filter. `off` is mfa_off_filter or
 * NULL. The error gives the lines to write, with an entry below `base`. */
int apw_mfa_rule_check(const char *on, const char *off, const char *base, struct apw_error *error);

/* The same for a directory that hides attributes from entry to entry: `off` must show it, and with
 * any `on` but the default, `witness` (NULL: none) that `on` names what exists. */
int apw_mfa_rule_check_strictly(const char *on, const char *off, const char *witness,
                                struct apw_error *error);

/* Fails unless disabled_filter and disabled_witness, NULL if not set, go together. */
int apw_mfa_rule_check_disabled(const char *filter, const char *witness, const char *base,
                                struct apw_error *error);

#endif
