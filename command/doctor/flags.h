/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flags: whether each entry of the store says if MFA is on, and the store that it is off without
 * one.
 */
#ifndef APW_DOCTOR_FLAGS_H
#define APW_DOCTOR_FLAGS_H

#include "doctor/view.h"

/* Only with store_mfa. `view` is that of the store. */
void apw_doctor_flags_check(const struct apw_doctor_view *view);

/* Whether the entry of the store does not, and does not only hide it from the mail server. */
bool apw_doctor_flags_is_missing(const struct apw_doctor_view *view, const char *dn);

#endif
