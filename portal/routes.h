/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routes: which function answers which address, and who may ask for it.
 */
#ifndef APW_ROUTES_H
#define APW_ROUTES_H

#include "request.h"

struct apw_route;

/* NULL if the page has no such address; without helpdesk_filter it has none of the help desk. */
const struct apw_route *apw_routes_find(const struct apw_portal *portal,
                                        const struct apw_exchange *exchange);

/* Answers somebody who has signed in; redirects to the start unless they may ask for this. */
void apw_routes_answer(const struct apw_route *route, struct apw_request *request);

#endif
