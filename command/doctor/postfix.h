/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix: each smtpd of a Postfix that lets users sign in, and what it reads for that.
 */
#ifndef APW_DOCTOR_POSTFIX_H
#define APW_DOCTOR_POSTFIX_H

#include "config.h"
#include "doctor/diagnosis.h"
#include "doctor/sender.h"

/* `folder` is Postfix's config_directory. `config` is NULL if it could not be read, `sender` if
 * there is no user with an address. */
void apw_doctor_postfix_check(struct apw_diagnosis *diagnosis, const char *folder,
                              const struct apw_config *config,
                              const struct apw_doctor_sender *sender);

#endif
