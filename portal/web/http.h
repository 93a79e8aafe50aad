/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http: requests in, answers out (web/reply.h).
 *
 * One thread reads and writes, others answer (web/worker.h), so a slow client or a slow answer does
 * not delay the others; an answer that must come late holds no thread. Connections, headers,
 * bodies, fields, idle time, and the requests of one network at a time are bounded.
 */
#ifndef APW_HTTP_H
#define APW_HTTP_H

#include "error.h"
#include "web/settings.h"

struct apw_http;

/* Answers requests on that listening socket, which belongs to the server from now on, even after
 * -1. */
int apw_http_start(const struct apw_web_settings *settings, int listener, struct apw_http **http_r,
                   struct apw_error *error);

/* Ends every connection. */
void apw_http_stop(struct apw_http **http);

#endif
