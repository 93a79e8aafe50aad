/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doveadm: what a running Dovecot says about a user.
 */
#ifndef APW_DOCTOR_DOVEADM_H
#define APW_DOCTOR_DOVEADM_H

#include "doctor/doveconf.h"

enum apw_doctor_doveadm {
    APW_DOCTOR_DOVEADM_FOUND = 0,
    APW_DOCTOR_DOVEADM_NO_USER,
    APW_DOCTOR_DOVEADM_NOT_RUNNING, /* or root must ask */
    APW_DOCTOR_DOVEADM_FAILED,
};

/* Asks the passdbs, without a password, or the userdbs, as LMTP does. *output_r, which the caller
 * frees, has the fields, or says why not; NULL if out of memory. */
enum apw_doctor_doveadm apw_doctor_doveadm_passdb(const struct apw_doctor_doveconf *conf,
                                                  const char *user, char **output_r);
enum apw_doctor_doveadm apw_doctor_doveadm_userdb(const struct apw_doctor_doveconf *conf,
                                                  const char *user, char **output_r);

#endif
