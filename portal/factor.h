/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor: checking a code of any second factor, rejecting it, and the rights that it gives.
 */
#ifndef APW_FACTOR_H
#define APW_FACTOR_H

#include "request.h"

/* Checks the typed code. If it is right and an authenticator app's, store *counter_r as used. */
enum apw_reason apw_factor_check(const struct apw_request *request, const struct apw_method *method,
                                 uint64_t *counter_r);

/* Logs a rejected code and redirects to `path`. A code that we could not check is an outage. */
void apw_factor_refuse(struct apw_request *request, enum apw_reason reason, const char *action,
                       const char *path);

/* Gives all rights, for having passed that method. */
void apw_factor_grant(struct apw_request *request, const struct apw_method *method);

#endif
