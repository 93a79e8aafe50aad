/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_passkey: passkeys and security keys as a second factor.
 */
#ifndef APW_FACTOR_PASSKEY_H
#define APW_FACTOR_PASSKEY_H

#include "request.h"

/* GET passkey: the page that sets one up. */
void apw_factor_passkey_show(struct apw_request *request);

/* Reads the passkey that was just made, with the typed name. False, and a log line, if it is not
 * good. */
bool apw_factor_passkey_register(struct apw_request *request, struct apw_method *method_r);

/* Sets what a page needs to ask for one of the person's passkeys; free the buffer after that. */
void apw_factor_passkey_set_challenge(struct apw_request *request,
                                      struct apw_buffer *credentials_r);

/* The factor whose passkey answered, or NULL. */
const struct apw_factor *apw_factor_passkey_answered(const struct apw_request *request);

/* Checks the answer. If it is right, the method's counter and flags are those of this use: store
 * them. */
enum apw_reason apw_factor_passkey_check(const struct apw_request *request,
                                         struct apw_method *method, struct apw_error *error);

#endif
