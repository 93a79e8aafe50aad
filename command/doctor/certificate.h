/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificate: the certificate of one server of the directory.
 */
#ifndef APW_DOCTOR_CERTIFICATE_H
#define APW_DOCTOR_CERTIFICATE_H

#include "doctor/view.h"

/* Its names, and the days that are left. `directory` is the server at `uri`. libldap has already
 * checked that the CA signed it, and that it names the host. openssl(1) reads it. */
void apw_doctor_certificate_check(const struct apw_doctor_view *view, const char *uri,
                                  struct apw_directory *directory);

#endif
