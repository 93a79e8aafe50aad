/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: an answer made of templates.
 */
#ifndef APW_PAGE_H
#define APW_PAGE_H

#include "web/asset.h"
#include "web/exchange.h"
#include "web/language.h"
#include "web/session.h"
#include "web/template.h"
#include "web/text.h"

/* The data that all pages of a site share; read-only while it answers. Texts are numbers of
 * `texts`. */
struct apw_site {
    const char *root; /* path of the site, without a slash at its end */
    char version[APW_ASSETS_VERSION_SIZE];
    struct apw_languages languages;
    struct apw_texts *texts;
    struct apw_templates *templates;
    struct apw_web_sessions *sessions;
    unsigned error_title;
    unsigned error_mark; /* the title of a page with a complaint begins with it */
    void *context;
    void (*warn)(void *context, const char *why); /* a page could not be made */
};

/* An answer under construction. */
struct apw_page {
    const struct apw_site *site;
    struct apw_exchange *exchange;
    struct apw_web_session *session; /* NULL before signing in */
    const char *who;                 /* template after the top of the page; NULL for none */
    const char *ending;              /* another one, about the end of the session; NULL for none */
    const char *support;             /* the one at the end: whom to ask; NULL for support.html */
    struct apw_variables variables;
    char token[APW_COOKIE_SIZE];
    char seconds_left[12];
    unsigned said; /* the text to show; 0 for none */
    bool is_said_good;
    bool is_said_at_field;
    bool is_shown_once;      /* choosing a language would lose what it shows: it offers none */
    struct apw_buffer error; /* that text, for its field */
    char minutes[12];
};

/* Sets root, version, csrf and lang; makes a cookie if the browser has none. */
void apw_page_begin(struct apw_page *page, const struct apw_site *site,
                    struct apw_exchange *exchange, struct apw_web_session *session);

void apw_page_set(struct apw_page *page, const char *name, const char *value); /* borrowed */

/* The same, a link to that address. */
void apw_page_set_link(struct apw_page *page, const char *name, const char *value,
                       const char *link);

/* Sets what the template `ending` needs: seconds_left until the session ends, and is_last, "yes" if
 * a further request would not change that. */
void apw_page_set_ending(struct apw_page *page);

/* What the page is to say: at its top, or at the field to which a complaint belongs, as {{error}}
 * ({{invalid}} is then "true", {{focus}} "autofocus"). Call one of these before apw_page_open();
 * otherwise it says the session's flash. */
void apw_page_say(struct apw_page *page, unsigned text, bool is_good);
void apw_page_complain(struct apw_page *page, unsigned text);
void apw_page_say_minutes(struct apw_page *page, unsigned minutes); /* the value of {minutes} */

/* The top of the page, `who`, `ending` and what it says. Then apw_page_add() templates, then
 * apw_page_end(). A page that cannot be made becomes an empty 500 with a warning. A text may have
 * {names} of variables. */
void apw_page_open(struct apw_page *page, unsigned status, unsigned title);
void apw_page_add(struct apw_page *page, const char *file);
void apw_page_end(struct apw_page *page);

/* A whole page with one template. */
void apw_page_show(struct apw_page *page, unsigned title, const char *file);

/* A page that says what went wrong, with a link to the start. */
void apw_page_fail(struct apw_page *page, unsigned status, unsigned text);

/* Redirects (303, RFC 9110, 15.4.4) to a path below the root; "" is the start. */
void apw_page_redirect(struct apw_page *page, const char *path);

#endif
