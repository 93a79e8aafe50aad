/*
 * http: requests in, answers out; the only user of <microhttpd.h>.
 *
 * Each connection has a thread of its own, so that neither a slow client nor a slow directory holds
 * others up. Connections, headers, bodies, fields and idle time are bounded.
 */
#ifndef APW_HTTP_H
#define APW_HTTP_H

#include "error.h"
#include "portal.h"

struct apw_http;

/* Listens where portal.conf says and answers from then on. `assets` is the folder of style.css,
 * copy.js and icon.svg, which are read now. */
int apw_http_start(const struct apw_portal *portal, const char *assets, struct apw_http **http_r,
                   struct apw_error *error);

/* Ends every connection and removes the socket. */
void apw_http_stop(struct apw_http **http);

#endif
