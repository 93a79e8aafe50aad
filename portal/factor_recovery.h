/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_recovery: recovery codes as a second factor.
 */
#ifndef APW_FACTOR_RECOVERY_H
#define APW_FACTOR_RECOVERY_H

#include "request.h"

/* After the first enrollment: makes codes and redirects to them, or to the next step if the site
 * does not allow them or they cannot be stored. */
void apw_factor_recovery_begin(struct apw_request *request);

/* POST recovery-codes: makes new ones in place of the old ones. */
void apw_factor_recovery_make(struct apw_request *request);

/* GET recovery-codes, recovery-codes.txt: shows new ones until another page is opened. */
void apw_factor_recovery_show(struct apw_request *request);
void apw_factor_recovery_download(struct apw_request *request);

/* Mails the owner that a code was used. */
void apw_factor_recovery_tell(struct apw_request *request, const struct apw_method *method);

#endif
