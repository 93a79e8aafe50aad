/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http: requests in, answers out; the only user of <microhttpd.h>.
 *
 * Each connection has its own thread, so a slow client or a slow answer does not delay the others.
 * Connections, headers, bodies, fields and idle time are bounded.
 */
#ifndef APW_HTTP_H
#define APW_HTTP_H

#include "error.h"
#include "web/asset.h"
#include "web/exchange.h"
#include "web/language.h"
#include <stdbool.h>
#include <stddef.h>

/* All borrowed; must outlive the server. */
struct apw_http_settings {
    const char *root;        /* path of the site, without a slash at its end */
    bool is_https;           /* the proxy speaks TLS: cookies are Secure */
    const char *cookie_name; /* the browser's mark is called the same with "-browser" */
    const char *user_header; /* the trusted proxy's header with the user's name, or NULL */
    const struct apw_form_fields *fields;
    const struct apw_languages *languages;
    const struct apw_asset *assets;
    size_t asset_count;
    void *context; /* for the functions below, which run in many threads */
    void (*answer)(void *context, struct apw_exchange *exchange);
    void (*fail)(void *context, struct apw_exchange *exchange, unsigned status); /* 404 or 405 */
};

struct apw_http;

/* Answers requests on that listening socket, which belongs to the server from now on, even after
 * -1. */
int apw_http_start(const struct apw_http_settings *settings, int listener, struct apw_http **http_r,
                   struct apw_error *error);

/* Ends every connection. */
void apw_http_stop(struct apw_http **http);

#endif
