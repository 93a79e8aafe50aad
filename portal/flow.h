/*
 * flow: the way through the pages, from signing in to the app password.
 */
#ifndef APW_FLOW_H
#define APW_FLOW_H

#include "portal.h"
#include "web/exchange.h"

/* Answers a request. Whatever it has cost to get here, what a page may show or change follows from
 * the visit and from the directory as it is now. */
void apw_flow_answer(const struct apw_portal *portal, struct apw_exchange *exchange);

/* Answers with a page that says what went wrong, without looking at who asks. */
void apw_flow_fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status,
                   enum apw_text text);

#endif
