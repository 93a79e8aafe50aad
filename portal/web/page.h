/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: an answer made of templates.
 */
#ifndef APW_PAGE_H
#define APW_PAGE_H

#include "web/exchange.h"
#include "web/language.h"
#include "web/session.h"
#include "web/template.h"
#include "web/text.h"

/* The data that all pages of a site share; read-only while it answers. Texts are numbers of
 * `texts`. */
struct apw_site {
    const char *root; /* path of the site, without a slash at its end */
    struct apw_languages languages;
    struct apw_texts *texts;
    struct apw_templates *templates;
    struct apw_web_sessions *sessions;
    unsigned error_title;
    void *context;
    void (*warn)(void *context, const char *why); /* a page could not be made */
};

/* An answer under construction. */
struct apw_page {
    const struct apw_site *site;
    struct apw_exchange *exchange;
    struct apw_web_session *session; /* NULL before signing in */
    const char *who;                 /* template after the top of the page; NULL for none */
    struct apw_variables variables;
    char token[APW_COOKIE_SIZE];
};

/* Sets root, csrf and lang; makes a cookie if the browser has none. */
void apw_page_begin(struct apw_page *page, const struct apw_site *site,
                    struct apw_exchange *exchange, struct apw_web_session *session);

void apw_page_set(struct apw_page *page, const char *name, const char *value); /* borrowed */

/* The top of the page, `who`, and the session's flash. Then apw_page_add() templates, then
 * apw_page_end(). A page that cannot be made becomes an empty 500 with a warning. */
void apw_page_open(struct apw_page *page, unsigned status, unsigned title);
void apw_page_say(struct apw_page *page, unsigned text, bool is_good);
void apw_page_add(struct apw_page *page, const char *file);
void apw_page_end(struct apw_page *page);

/* A whole page with one template. */
void apw_page_show(struct apw_page *page, unsigned title, const char *file);

/* A page that says what went wrong, with a link to the start. */
void apw_page_fail(struct apw_page *page, unsigned status, unsigned text);

/* Redirects (303, RFC 9110, 15.4.4) to a path below the root; "" is the start. */
void apw_page_redirect(struct apw_page *page, const char *path);

#endif
