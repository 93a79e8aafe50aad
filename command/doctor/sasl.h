/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sasl: a libsasl2 program's configuration, such as Postfix's sasl/smtpd.conf.
 */
#ifndef APW_DOCTOR_SASL_H
#define APW_DOCTOR_SASL_H

#include "doctor/diagnosis.h"

void apw_doctor_sasl_check(struct apw_diagnosis *diagnosis, const char *path);

#endif
