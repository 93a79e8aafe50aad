/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files: the configuration and the files that it names: who can read or write them.
 */
#ifndef APW_DOCTOR_FILES_H
#define APW_DOCTOR_FILES_H

#include "config.h"
#include "doctor/diagnosis.h"
#include "session.h"
#include <stdbool.h>

/* Whether the CA files can be used, or need not be. If not, no connection to the directory is
 * possible: libldap 2.6 accepts no file without certificates. */
bool apw_doctor_files_check_ca(struct apw_diagnosis *diagnosis, const struct apw_config *config);

/* Checks the other files. `session` is the administrator's, or NULL. */
void apw_doctor_files_check(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                            const struct apw_session *session);

#endif
