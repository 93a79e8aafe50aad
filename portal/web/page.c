/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/page.h"
#include "clock.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void apw_page_set(struct apw_page *page, const char *name, const char *value)
{
    apw_template_set(&page->variables, name, value);
}

void apw_page_set_link(struct apw_page *page, const char *name, const char *value, const char *link)
{
    apw_template_set_link(&page->variables, name, value, link);
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
    apw_page_set(page, "version", site->version);
    apw_page_set(page, "csrf", page->token);
    apw_page_set(page, "lang", site->languages.language[exchange->language].code);
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

void apw_page_set_ending(struct apw_page *page)
{
    bool is_last;
    unsigned left = apw_web_session_left_s(page->site->sessions, page->session,
                                           apw_clock_monotonic_ms(), &is_last);

    snprintf(page->seconds_left, sizeof page->seconds_left, "%u", left);
    apw_page_set(page, "seconds_left", page->seconds_left);
    apw_page_set(page, "is_last", is_last ? "yes" : "no");
}

/* Sets "text" while it adds that template. */
static void add_with_text(struct apw_page *page, const char *file, unsigned text)
{
    struct apw_buffer whole = {NULL, 0, 0, false};

    apw_template_fill_text(in_language(page, text), &page->variables, &whole);
    apw_page_set(page, "text", whole.bytes);
    if (whole.is_broken)
        give_up(page, "out of memory");
    apw_page_add(page, file);
    apw_page_set(page, "text", NULL);
    apw_buffer_free(&whole);
}

void apw_page_say_minutes(struct apw_page *page, unsigned minutes)
{
    snprintf(page->minutes, sizeof page->minutes, "%u", minutes);
    apw_page_set(page, "minutes", page->minutes);
}

void apw_page_say(struct apw_page *page, unsigned text, bool is_good)
{
    page->said = text;
    page->is_said_good = is_good;
    page->is_said_at_field = false;
}

void apw_page_complain(struct apw_page *page, unsigned text)
{
    apw_page_say(page, text, false);
    page->is_said_at_field = true;
}

/* Once; with HEAD, nobody reads it. */
static void take_flash(struct apw_page *page)
{
    struct apw_web_session *session = page->session;

    if (session == NULL || page->said != 0)
        return;
    apw_page_say(page, session->flash, session->is_flash_good);
    page->is_said_at_field = session->is_flash_at_field;
    apw_page_say_minutes(page, session->flash_minutes);
    if (!page->exchange->is_head)
        session->flash = 0;
}

static void set_complaint(struct apw_page *page)
{
    bool is_bad = page->said != 0 && !page->is_said_good;
    bool is_at_field = is_bad && page->is_said_at_field;

    if (is_at_field)
        apw_template_fill_text(in_language(page, page->said), &page->variables, &page->error);
    apw_page_set(page, "mark", in_language(page, is_bad ? page->site->error_mark : 0));
    apw_page_set(page, "error", page->error.bytes);
    apw_page_set(page, "invalid", is_at_field ? "true" : "false");
    apw_page_set(page, "focus", is_at_field ? "autofocus" : "");
}

void apw_page_open(struct apw_page *page, unsigned status, unsigned title)
{
    page->exchange->status = status;
    take_flash(page);
    set_complaint(page);
    apw_page_set(page, "title", in_language(page, title));
    apw_page_add(page, "top.html");
    if (page->who != NULL)
        apw_page_add(page, page->who);
    if (page->ending != NULL) {
        apw_page_set_ending(page);
        apw_page_add(page, page->ending);
    }
    if (page->said != 0 && !page->is_said_at_field)
        add_with_text(page, page->is_said_good ? "good.html" : "notice.html", page->said);
}

/* A link to this page in each language. It is a GET, because it changes no more than a preference
 * and must work when the visit and its token are over, too; the answer to a form has no address of
 * its own, so from there it leads to the start. */
static void add_languages(struct apw_page *page)
{
    const struct apw_languages *languages = &page->site->languages;
    unsigned current = page->exchange->language;
    char start[APW_LOCATION_SIZE];

    snprintf(start, sizeof start, "%s/", page->site->root);
    apw_page_set(page, "here", page->exchange->is_post ? start : "");
    apw_page_set(page, "language", apw_language_name(languages, current));
    apw_page_add(page, "languages-top.html");
    for (unsigned i = 0; i < languages->count; i++) {
        apw_page_set(page, "language", apw_language_name(languages, i));
        apw_page_set(page, "language_code", languages->language[i].code);
        apw_page_set(page, "is_current", i == current ? "true" : "false");
        apw_page_add(page, "languages-row.html");
    }
    apw_page_add(page, "languages-end.html");
    apw_page_set(page, "here", NULL);
}

void apw_page_end(struct apw_page *page)
{
    apw_page_add(page, page->support != NULL ? page->support : "support.html");
    if (page->site->languages.count > 1 && !page->is_shown_once)
        add_languages(page);
    apw_page_add(page, "bottom.html");
    apw_page_set(page, "error", NULL);
    apw_buffer_free(&page->error);
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
    apw_page_complain(page, text);
    apw_page_open(page, status, page->site->error_title);
    add_with_text(page, "error.html", text);
    apw_page_end(page);
}

void apw_page_redirect(struct apw_page *page, const char *path)
{
    page->exchange->status = 303;
    snprintf(page->exchange->location, sizeof page->exchange->location, "%s/%s", page->site->root,
             path);
}
