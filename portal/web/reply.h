/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply: an answer's status, headers and cookies.
 */
#ifndef APW_REPLY_H
#define APW_REPLY_H

#include "web/settings.h"
#include <microhttpd.h>

enum apw_reply_cookie {
    APW_REPLY_SESSION_COOKIE = 0,
    APW_REPLY_BROWSER_COOKIE,
    APW_REPLY_DRAFT_COOKIE, /* ends after a day */
    APW_REPLY_REMEMBERED_COOKIE,
    APW_REPLY_LANGUAGE_COOKIE,
};

void apw_reply_name_cookie(const struct apw_web_settings *settings, enum apw_reply_cookie cookie,
                           char name_r[64]);

void apw_reply_add_security(struct MHD_Response *response);

/* Queues the answer; takes over the body. */
enum MHD_Result apw_reply_send(const struct apw_web_settings *settings,
                               struct MHD_Connection *connection, struct apw_exchange *exchange);

#endif
