/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow: routes and gates.
 *
 * Each request re-reads the directory; only the session and that entry decide what is shown.
 */
#ifndef APW_FLOW_H
#define APW_FLOW_H

#include "portal.h"

/* Answers a request. */
void apw_flow_answer(const struct apw_portal *portal, struct apw_exchange *exchange);

/* Answers with an error page for 404, 405 or 429, without looking at the session. */
void apw_flow_fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status);

#endif
