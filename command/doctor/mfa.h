/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa: whether mfa_filter gives an answer for users, and the right one.
 */
#ifndef APW_DOCTOR_MFA_H
#define APW_DOCTOR_MFA_H

#include "doctor/view.h"

/* Asks for the first users below the base. */
void apw_doctor_mfa_check(const struct apw_doctor_view *view);

/* This user must have MFA on. */
void apw_doctor_mfa_check_user(const struct apw_doctor_view *view, const char *login);

#endif
