/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pending_reset: a reset of the second factors (lib/reset.h), as their owner meets it.
 */
#ifndef APW_PENDING_RESET_H
#define APW_PENDING_RESET_H

#include "request.h"
#include "reset.h"

/* After a right account password: if a reset is due, removes the second factors, tells the owner,
 * and reads the account again. False if the request was answered because that failed. */
bool apw_pending_reset_carry_out(struct apw_request *request);

/* Adds to the owner's page who has asked for a reset, and a button against it. */
void apw_pending_reset_add(struct apw_request *request);

/* Adds a template with {at} and {by}; "?" for what a damaged value does not say. */
void apw_pending_reset_add_facts(struct apw_request *request, const struct apw_reset *reset,
                                 const char *file);

/* POST cancel-reset. */
void apw_pending_reset_do_cancel(struct apw_request *request);

#endif
