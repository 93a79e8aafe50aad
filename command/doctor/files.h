/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files: the configuration and the files that it names: who can read or write them.
 */
#ifndef APW_DOCTOR_FILES_H
#define APW_DOCTOR_FILES_H

#include "config.h"
#include "doctor/diagnosis.h"

/* `administrator` is the identity of admin.conf, or NULL. */
void apw_doctor_files_check(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                            const struct apw_identity *administrator);

#endif
