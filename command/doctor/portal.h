/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portal: the self-service page's own test of its configuration.
 */
#ifndef APW_DOCTOR_PORTAL_H
#define APW_DOCTOR_PORTAL_H

#include "doctor/diagnosis.h"

/* `path` is app-password.conf, beside which portal.conf lies. */
void apw_doctor_portal_check(struct apw_diagnosis *diagnosis, const char *path);

#endif
