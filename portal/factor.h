/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor: the name of any second factor, checking a code of any second factor, rejecting it, and
 * the rights that it gives.
 */
#ifndef APW_FACTOR_H
#define APW_FACTOR_H

#include "request.h"

#define APW_FACTOR_TITLE_SIZE 512

/* "Authenticator app – My phone". */
void apw_factor_title(const struct apw_request *request, const struct apw_method *method,
                      char title_r[APW_FACTOR_TITLE_SIZE]);

/* Checks the typed code, or what a passkey answered. If it is right, *method is changed so that the
 * code does not work again: store it. */
enum apw_reason apw_factor_check(const struct apw_request *request, struct apw_method *method,
                                 struct apw_error *error);

/* Why, and where. */
struct apw_factor_refusal {
    enum apw_reason reason;
    const struct apw_method *method; /* NULL for an enrollment code */
    const char *action;              /* for the log */
    const struct apw_error *error;   /* for the log, or NULL */
    const char *path;                /* where the person tries again */
};

/* Logs a rejected factor and redirects to `path`. One that we could not check is an outage. */
void apw_factor_refuse(struct apw_request *request, const struct apw_factor_refusal *refusal);

/* Gives all rights, for having passed that method. */
void apw_factor_grant(struct apw_request *request, const struct apw_method *method);

#endif
