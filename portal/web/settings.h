/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings: what a site tells its HTTP server.
 */
#ifndef APW_WEB_SETTINGS_H
#define APW_WEB_SETTINGS_H

#include "web/asset.h"
#include "web/exchange.h"
#include "web/language.h"
#include <stdbool.h>
#include <stddef.h>

/* All borrowed; must outlive the server. */
struct apw_web_settings {
    const char *root;          /* path of the site, without a slash at its end */
    bool is_https;             /* the proxy speaks TLS: cookies are Secure */
    const char *cookie_name;   /* the other cookies are called the same with an ending: reply.c */
    const char *user_header;   /* the trusted proxy's header with the user's name, or NULL */
    const char *user_secret;   /* what that proxy sends, too. Secret. */
    const char *secret_header; /* and in which header */
    const struct apw_form_fields *fields;       /* of forms */
    const struct apw_form_fields *query_fields; /* of addresses */
    const struct apw_languages *languages;
    const struct apw_asset *assets;
    size_t asset_count;
    void *context; /* for the functions below, which run in many threads */
    void (*answer)(void *context, struct apw_exchange *exchange);
    void (*fail)(void *context, struct apw_exchange *exchange, unsigned status); /* 404 … 503 */
};

#endif
