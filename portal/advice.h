/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advice: what the help desk can say to the person whom it helps, for each thing that keeps a mail
 * program out.
 */
#ifndef APW_ADVICE_H
#define APW_ADVICE_H

#include "request.h"

/* Adds the sentences about request->helped to the page. */
void apw_advice_add(struct apw_request *request);

#endif
