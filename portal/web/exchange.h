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

#define APW_PATH_SIZE     512 /* below the root, with its NUL; longer ones are not found */
#define APW_LOCATION_SIZE 1024
#define APW_DRAFT_SIZE    128
#define APW_AGENT_SIZE    512

struct apw_exchange {
    /* The request. */
    bool is_post;
    bool is_head;                       /* as GET, but the browser gets no body: nothing is shown */
    const char *path;                   /* below the site's root, without the slash in front */
    char cookie[APW_COOKIE_SIZE];       /* "" for none */
    char browser[APW_COOKIE_SIZE];      /* see web/browser.h; "" for none */
    char draft[APW_DRAFT_SIZE];         /* what the site left in the browser; "" for none */
    char remembered[APW_COOKIE_SIZE];   /* a third cookie, the site's own; "" for none */
    char agent[APW_AGENT_SIZE];         /* the start of User-Agent */
    char client[APW_ADDRESS_TEXT_SIZE]; /* "" if it is unknown */
    unsigned language;
    bool is_language_chosen; /* by a link of the page, to be kept */
    const char *signed_on;   /* the user named by the trusted proxy; NULL for none */
    bool is_proxy_unknown;   /* the request named a user without the proxy's secret */
    struct apw_form form;
    struct apw_form query;      /* of the address; all "" with POST */
    struct apw_buffer document; /* the body, if it is XML and not a form */

    /* The answer. */
    int64_t due_ms;  /* monotonic; it is not sent sooner */
    unsigned status; /* 0: there is no answer */
    struct apw_buffer body;
    const char *type;                 /* of the body; NULL: HTML */
    const char *file_name;            /* the body is a download of that name; NULL: a page */
    char location[APW_LOCATION_SIZE]; /* of a redirect */
    char new_cookie[APW_COOKIE_SIZE]; /* to set; "" for none */
    char new_browser[APW_COOKIE_SIZE];
    char new_draft[APW_DRAFT_SIZE];
    bool is_draft_over;       /* the browser forgets it */
    const char *new_language; /* to keep; NULL for none */
    char new_remembered[APW_COOKIE_SIZE];
    int64_t remembered_s; /* how long the browser keeps that one */
};

#endif
