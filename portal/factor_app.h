/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_app: the authenticator app as a second factor.
 */
#ifndef APW_FACTOR_APP_H
#define APW_FACTOR_APP_H

#include "request.h"

/* Makes a secret, pending until a code of it is verified: the one that this browser was shown
 * before, if there is one (draft.h). */
void apw_factor_app_begin(struct apw_request *request);

/* GET app: the pending secret as a QR code, a link and text. */
void apw_factor_app_show(struct apw_request *request);

/* Checks the typed code. If it is right, sets the method's counter: store it. */
enum apw_reason apw_factor_app_check(const struct apw_request *request, struct apw_method *method);

#endif
