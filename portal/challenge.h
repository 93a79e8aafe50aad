/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * challenge: asks people with a second factor for it when they sign in.
 */
#ifndef APW_CHALLENGE_H
#define APW_CHALLENGE_H

#include "request.h"

/* Sends the code, if the second factor needs one. */
void apw_challenge_send(struct apw_request *request);

/* The page that asks for the code. */
void apw_challenge_show(struct apw_request *request);

/* POST resend, POST verify. */
void apw_challenge_resend(struct apw_request *request);
void apw_challenge_verify(struct apw_request *request);

#endif
