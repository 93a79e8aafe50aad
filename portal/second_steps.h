/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * second_steps: the page on which people view, rename and remove their second factors.
 */
#ifndef APW_SECOND_STEPS_H
#define APW_SECOND_STEPS_H

#include "request.h"

/* Adds to a page that names the factors and leads to the page. */
void apw_second_steps_add_link(struct apw_request *request);

void apw_second_steps_show(struct apw_request *request);
void apw_second_steps_do_rename(struct apw_request *request);
void apw_second_steps_do_remove(struct apw_request *request);

/* The factor that must stay when `removed` goes: the one passed in this session, or another one. */
const struct apw_factor *apw_second_steps_kept(const struct apw_request *request,
                                               const struct apw_factor *removed);

/* Makes the change, and logs it. False, and the request is answered, if that failed. */
bool apw_second_steps_apply(struct apw_request *request, const struct apw_factors_change *change,
                            enum apw_audit_action action);

#endif
