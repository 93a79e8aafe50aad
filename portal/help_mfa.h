/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help_mfa: what the help desk does about two-step verification: resets the second steps after a
 * waiting time, turns it on from a date, and off if helpdesk_may allows it. See help_actions.h.
 */
#ifndef APW_HELP_MFA_H
#define APW_HELP_MFA_H

#include "helped.h"

/* Whether the second steps will be reset, or are at the next sign-in. */
bool apw_help_mfa_has_reset(const struct apw_request *request);

/* Adds a reset that waits, and a button against it, to the person's page; then the forms. */
void apw_help_mfa_add_reset(struct apw_request *request);
void apw_help_mfa_add(struct apw_request *request);

void apw_help_mfa_do_reset(struct apw_request *request);
void apw_help_mfa_do_cancel_reset(struct apw_request *request);
void apw_help_mfa_do_on(struct apw_request *request);

/* Also takes back MFA that is only announced. */
void apw_help_mfa_do_off(struct apw_request *request);

#endif
