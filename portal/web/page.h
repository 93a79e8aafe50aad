/*
 * page: an answer put together from templates.
 */
#ifndef APW_PAGE_H
#define APW_PAGE_H

#include "portal.h"
#include "web/exchange.h"
#include "web/text.h"

/* An answer under construction. */
struct apw_page {
    const struct apw_portal *portal;
    struct apw_exchange *exchange;
    struct apw_visit *visit; /* NULL before signing in */
    struct apw_variables variables;
    char token[APW_COOKIE_SIZE];
};

/* Sets the variables that every page has; makes a cookie for who has none. */
void apw_page_begin(struct apw_page *page, const struct apw_portal *portal,
                    struct apw_exchange *exchange, struct apw_visit *visit);

void apw_page_set(struct apw_page *page, const char *name, const char *value); /* borrowed */

/* Top, who is signed in, what is left to be said of the request before. Then apw_page_add()
 * bodies, then apw_page_end(). What fails is an empty 500 and a line in the log. */
void apw_page_open(struct apw_page *page, unsigned status, enum apw_text title);
void apw_page_say(struct apw_page *page, enum apw_text text, bool is_good);
void apw_page_add(struct apw_page *page, const char *file);
void apw_page_end(struct apw_page *page);

/* A whole page with one body. */
void apw_page_show(struct apw_page *page, enum apw_text title, const char *file);

/* A page that says what went wrong, with the way back to the start. */
void apw_page_fail(struct apw_page *page, unsigned status, enum apw_text text);

/* To another page (303, RFC 9110, 15.4.4), below the root of the pages; "" is the start. */
void apw_page_redirect(struct apw_page *page, const char *path);

#endif
