#include "web/page.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void apw_page_set(struct apw_page *page, const char *name, const char *value)
{
    apw_variables_set(&page->variables, name, value);
}

void apw_page_begin(struct apw_page *page, const struct apw_portal *portal,
                    struct apw_exchange *exchange, struct apw_visit *visit)
{
    const struct apw_conf *conf = portal->conf;
    const char *cookie;

    memset(page, 0, sizeof *page);
    page->portal = portal;
    page->exchange = exchange;
    page->visit = visit;
    if (exchange->cookie[0] == '\0' && exchange->new_cookie[0] == '\0')
        apw_cookie_make(exchange->new_cookie);
    /* Chromium keeps pages for its back button even where they are not to be stored, until an
     * HttpOnly cookie of theirs is set again: so each page of a visit does that. */
    if (visit != NULL && exchange->new_cookie[0] == '\0')
        memcpy(exchange->new_cookie, exchange->cookie, sizeof exchange->new_cookie);
    cookie = exchange->new_cookie[0] != '\0' ? exchange->new_cookie : exchange->cookie;
    apw_visits_token(portal->visits, cookie, page->token);
    apw_page_set(page, "root", conf->root);
    apw_page_set(page, "csrf", page->token);
    apw_page_set(page, "lang", portal->languages.code[exchange->language]);
    apw_page_set(page, "support", conf->support);
    apw_page_set(page, "site", conf->site);
    apw_page_set(page, "user", visit != NULL ? visit->login : "");
}

static void give_up(struct apw_page *page, const char *why)
{
    apw_log_warning(page->portal->log, why);
    apw_buffer_free(&page->exchange->body);
    page->exchange->body.is_broken = true;
    page->exchange->status = 500;
}

void apw_page_add(struct apw_page *page, const char *file)
{
    struct apw_exchange *exchange = page->exchange;
    struct apw_error error = {""};

    if (!exchange->body.is_broken &&
        apw_template_fill(page->portal->templates, file, exchange->language, &page->variables,
                          &exchange->body, &error) != 0)
        give_up(page, error.text);
}

void apw_page_say(struct apw_page *page, enum apw_text text, bool is_good)
{
    if (text == APW_TEXT_NONE)
        return;
    apw_page_set(page, "text", apw_text_in(text, page->exchange->language));
    apw_page_add(page, is_good ? "good.html" : "notice.html");
}

void apw_page_open(struct apw_page *page, unsigned status, enum apw_text title)
{
    struct apw_visit *visit = page->visit;

    page->exchange->status = status;
    apw_page_set(page, "title", apw_text_in(title, page->exchange->language));
    apw_page_add(page, "top.html");
    if (visit == NULL)
        return;
    apw_page_add(page, visit->is_single_sign_on ? "who-sso.html" : "who.html");
    apw_page_say(page, visit->flash, visit->is_flash_good);
    visit->flash = APW_TEXT_NONE;
}

void apw_page_end(struct apw_page *page)
{
    apw_page_add(page, "bottom.html");
    sodium_memzero(page->token, sizeof page->token);
}

void apw_page_show(struct apw_page *page, enum apw_text title, const char *file)
{
    apw_page_open(page, 200, title);
    apw_page_add(page, file);
    apw_page_end(page);
}

void apw_page_fail(struct apw_page *page, unsigned status, enum apw_text text)
{
    apw_page_open(page, status, APW_TITLE_ERROR);
    apw_page_set(page, "text", apw_text_in(text, page->exchange->language));
    apw_page_add(page, "error.html");
    apw_page_end(page);
}

void apw_page_redirect(struct apw_page *page, const char *path)
{
    page->exchange->status = 303;
    snprintf(page->exchange->location, sizeof page->exchange->location, "%s/%s",
             page->portal->conf->root, path);
}
