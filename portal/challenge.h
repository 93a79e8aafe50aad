/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * challenge: asks people with second factors for one of them when they sign in.
 */
#ifndef APW_CHALLENGE_H
#define APW_CHALLENGE_H

#include "request.h"

/* Sends the code, if the factor to ask for needs one. */
void apw_challenge_send(struct apw_request *request);

/* The page that asks for it, with the person's other factors below. */
void apw_challenge_show(struct apw_request *request);

/* POST use-factor: asks for another one. */
void apw_challenge_use(struct apw_request *request);

/* POST resend, POST verify. */
void apw_challenge_resend(struct apw_request *request);
void apw_challenge_verify(struct apw_request *request);

#endif
