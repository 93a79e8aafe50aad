/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * create_form: the form for a new app password, with the ends that the policy allows.
 */
#ifndef APW_CREATE_FORM_H
#define APW_CREATE_FORM_H

#include "request.h"

/* What was typed and chosen stays, if the form came back. */
void apw_create_form_add(struct apw_request *request);

#endif
