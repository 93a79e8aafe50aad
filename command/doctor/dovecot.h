/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dovecot: Dovecot's configuration, of which `doveconf -n` or plain `doveconf` prints all that
 * counts.
 */
#ifndef APW_DOCTOR_DOVECOT_H
#define APW_DOCTOR_DOVECOT_H

#include "doctor/diagnosis.h"
#include "doctor/sender.h"

/* `path` has the output of doveconf; "-" is standard input. `hash_memory_mib` is the memory of one
 * hash. */
void apw_doctor_dovecot_check(struct apw_diagnosis *diagnosis, const char *path,
                              unsigned hash_memory_mib, const struct apw_doctor_sender *sender);

#endif
