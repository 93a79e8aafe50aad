/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/page.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void apw_page_set(struct apw_page *page, const char *name, const char *value)
{
    apw_template_set(&page->variables, name, value);
}

void apw_page_begin(struct apw_page *page, const struct apw_site *site,
                    struct apw_exchange *exchange, struct apw_web_session *session)
{
    const char *cookie;

    *page = (struct apw_page){.site = site, .exchange = exchange, .session = session};
    if (exchange->cookie[0] == '\0' && exchange->new_cookie[0] == '\0')
        apw_web_session_make_cookie(exchange->new_cookie);
    /* Chromium keeps even no-store pages for its back button until the site sets one of its
     * HttpOnly cookies again, so each page of a session does. */
    if (session != NULL && exchange->new_cookie[0] == '\0')
        memcpy(exchange->new_cookie, exchange->cookie, sizeof exchange->new_cookie);
    cookie = exchange->new_cookie[0] != '\0' ? exchange->new_cookie : exchange->cookie;
    apw_web_sessions_token(site->sessions, cookie, page->token);
    apw_page_set(page, "root", site->root);
    apw_page_set(page, "csrf", page->token);
    apw_page_set(page, "lang", site->languages.code[exchange->language]);
}

static const char *in_language(const struct apw_page *page, unsigned text)
{
    return apw_text_in(page->site->texts, text, page->exchange->language);
}

static void give_up(struct apw_page *page, const char *why)
{
    page->site->warn(page->site->context, why);
    apw_buffer_free(&page->exchange->body);
    page->exchange->body.is_broken = true;
    page->exchange->status = 500;
}

void apw_page_add(struct apw_page *page, const char *file)
{
    struct apw_exchange *exchange = page->exchange;
    struct apw_error error = {""};

    if (!exchange->body.is_broken &&
        apw_template_fill(page->site->templates, file, exchange->language, &page->variables,
                          &exchange->body, &error) != 0)
        give_up(page, error.text);
}

void apw_page_say(struct apw_page *page, unsigned text, bool is_good)
{
    if (text == 0)
        return;
    apw_page_set(page, "text", in_language(page, text));
    apw_page_add(page, is_good ? "good.html" : "notice.html");
}

void apw_page_open(struct apw_page *page, unsigned status, unsigned title)
{
    struct apw_web_session *session = page->session;

    page->exchange->status = status;
    apw_page_set(page, "title", in_language(page, title));
    apw_page_add(page, "top.html");
    if (page->who != NULL)
        apw_page_add(page, page->who);
    if (session == NULL)
        return;
    apw_page_say(page, session->flash, session->is_flash_good);
    session->flash = 0;
}

void apw_page_end(struct apw_page *page)
{
    apw_page_add(page, "bottom.html");
    sodium_memzero(page->token, sizeof page->token);
}

void apw_page_show(struct apw_page *page, unsigned title, const char *file)
{
    apw_page_open(page, 200, title);
    apw_page_add(page, file);
    apw_page_end(page);
}

void apw_page_fail(struct apw_page *page, unsigned status, unsigned text)
{
    apw_page_open(page, status, page->site->error_title);
    apw_page_set(page, "text", in_language(page, text));
    apw_page_add(page, "error.html");
    apw_page_end(page);
}

void apw_page_redirect(struct apw_page *page, const char *path)
{
    page->exchange->status = 303;
    snprintf(page->exchange->location, sizeof page->exchange->location, "%s/%s", page->site->root,
             path);
}
