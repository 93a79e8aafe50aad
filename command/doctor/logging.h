/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logging: whether the lines about logins arrive where `log` sends them.
 */
#ifndef APW_DOCTOR_LOGGING_H
#define APW_DOCTOR_LOGGING_H

#include "config.h"
#include "doctor/diagnosis.h"

void apw_doctor_logging_check(struct apw_diagnosis *diagnosis, const struct apw_config *config);

#endif
