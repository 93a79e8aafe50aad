/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor/remind: the mails that `app-password remind` sends to users, on a host of the page.
 */
#ifndef APW_DOCTOR_REMIND_H
#define APW_DOCTOR_REMIND_H

#include "config.h"
#include "doctor/diagnosis.h"

/* Whether the timer is on, when the last run was, and whether mails fail; and whether anything
 * carries out revoke_unused. */
void apw_doctor_remind_check(struct apw_diagnosis *diagnosis, const struct apw_config *config);

#endif
