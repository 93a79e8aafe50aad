/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor/watch: whether app-password-watch runs on this host, by its heartbeat.
 */
#ifndef APW_DOCTOR_WATCH_H
#define APW_DOCTOR_WATCH_H

#include "config.h"
#include "doctor/diagnosis.h"

/* `folder` is the daemon's; NULL: its default. */
void apw_doctor_watch_check(struct apw_diagnosis *diagnosis, const char *folder,
                            const struct apw_config *config);

#endif
