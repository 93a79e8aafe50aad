/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pam: a service of PAM, as /etc/pam.d configures it.
 */
#ifndef APW_DOCTOR_PAM_H
#define APW_DOCTOR_PAM_H

#include "doctor/diagnosis.h"

/* `service` is a name in /etc/pam.d, or the path of such a file; NULL: each file there that names
 * our module. */
void apw_doctor_pam_check(struct apw_diagnosis *diagnosis, const char *service);

/* Whether the PAM file names our module outside of comments; -1, with errno, if it cannot be read.
 */
int apw_doctor_pam_names_ours(const char *path);

#endif
