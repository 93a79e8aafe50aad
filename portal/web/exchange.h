/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange: one request and its answer, independent of the HTTP library.
 */
#ifndef APW_EXCHANGE_H
#define APW_EXCHANGE_H

#include "network.h"
#include "web/buffer.h"
#include "web/form.h"
#include "web/session.h"
#include <stdbool.h>

#define APW_LOCATION_SIZE 512

struct apw_exchange {
    /* The request. */
    bool is_post;
    const char *path;                   /* below the site's root, without the slash in front */
    char cookie[APW_COOKIE_SIZE];       /* "" for none */
    char browser[APW_COOKIE_SIZE];      /* see web/browser.h; "" for none */
    char client[APW_ADDRESS_TEXT_SIZE]; /* "" if it is unknown */
    unsigned language;
    const char *signed_on; /* the user named by the trusted proxy; NULL for none */
    bool is_proxy_unknown; /* the request named a user without the proxy's secret */
    struct apw_form form;

    /* The answer. */
    int64_t due_ms;  /* monotonic; it is not sent sooner */
    unsigned status; /* 0: there is no answer */
    struct apw_buffer body;
    const char *type;                 /* of the body; NULL: HTML */
    const char *file_name;            /* the body is a download of that name; NULL: a page */
    char location[APW_LOCATION_SIZE]; /* of a redirect */
    char new_cookie[APW_COOKIE_SIZE]; /* to set; "" for none */
    char new_browser[APW_COOKIE_SIZE];
};

#endif
