/* SPDX-License-Identifier: BSD-2-Clause */
#include "stranger.h"
#include "clock.h"
#include "request.h"
#include "utf8.h"
#include <string.h>

static void show(struct apw_request *request, unsigned status, enum apw_text text, bool is_good)
{
    const char *login = apw_request_field(request, APW_FIELD_LOGIN);
    struct apw_page *page = &request->page;
    /* It may be an app password in the wrong field. */
    bool is_shown =
        !apw_password_is_login(login, strlen(login)) && apw_utf8_is_valid(login, strlen(login));

    apw_page_say(page, text, is_good);
    apw_page_open(page, status, APW_TITLE_SIGN_IN);
    apw_page_set(page, "login", is_shown ? login : "");
    apw_page_add(page, "sign-in.html");
    apw_page_end(page);
}

void apw_stranger_show_sign_in(const struct apw_portal *portal, struct apw_exchange *exchange,
                               unsigned status, enum apw_text text, bool is_good)
{
    struct apw_request request;

    apw_request_begin(&request, portal, exchange, NULL);
    show(&request, status, text, is_good);
}

void apw_stranger_show_signed_out(const struct apw_portal *portal, struct apw_exchange *exchange,
                                  enum apw_text text)
{
    const bool is_lost = exchange->is_post;
    struct apw_request request;
    struct apw_page *page = &request.page;

    if (text == APW_TEXT_NONE && is_lost)
        text = APW_TEXT_NOT_SIGNED_IN;
    apw_request_begin(&request, portal, exchange, NULL);
    apw_page_set(page, "why", apw_request_text(&request, text));
    show(&request, 403, is_lost ? APW_TEXT_LAST_CLICK : text, false);
}

void apw_stranger_fail(const struct apw_portal *portal, struct apw_exchange *exchange,
                       unsigned status, enum apw_text text)
{
    struct apw_request request;

    apw_request_begin(&request, portal, exchange, NULL);
    apw_page_fail(&request.page, status, text);
    /* For a form on another site the browser withholds our cookie. A new one would replace it and
     * sign the person out; this page has no form that needs one. */
    exchange->new_cookie[0] = '\0';
}

enum apw_text apw_stranger_why(enum apw_web_absence why)
{
    switch (why) {
    case APW_WEB_ABSENCE_IDLE:
        return APW_TEXT_IDLE;
    case APW_WEB_ABSENCE_OLD:
        return APW_TEXT_HOUR;
    case APW_WEB_ABSENCE_CROWDED:
        return APW_TEXT_CROWDED;
    case APW_WEB_ABSENCE_UNKNOWN:
    case APW_WEB_ABSENCE_BUSY:
        break;
    }
    return APW_TEXT_NONE;
}

/* Whether the browser sent a cookie of ours, and nobody is signed in with it. Forms on other sites
 * come without a cookie. */
static bool is_signed_out(const struct apw_portal *portal, const struct apw_exchange *exchange,
                          enum apw_web_absence *why_r)
{
    struct apw_web_session *session;

    if (exchange->cookie[0] == '\0')
        return false;
    session = apw_web_session_enter(portal->site.sessions, exchange->cookie,
                                    apw_clock_monotonic_ms(), why_r);
    if (session != NULL)
        apw_web_session_leave(portal->site.sessions, session);
    return session == NULL && *why_r != APW_WEB_ABSENCE_BUSY;
}

void apw_stranger_refuse_form(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    bool is_link =
        strncmp(exchange->path, APW_INVITATION_PATH, sizeof APW_INVITATION_PATH - 1) == 0;
    bool has_form = portal->portal_config->proxy.user_header == NULL && !is_link;
    enum apw_web_absence why = APW_WEB_ABSENCE_UNKNOWN;

    if (has_form && !exchange->form.is_bad && is_signed_out(portal, exchange, &why))
        apw_stranger_show_signed_out(portal, exchange, apw_stranger_why(why));
    else
        apw_stranger_fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
}

void apw_stranger_refuse(const struct apw_portal *portal, struct apw_exchange *exchange,
                         int64_t wait_ms)
{
    struct apw_request request;

    apw_request_begin(&request, portal, exchange, NULL);
    apw_page_say_minutes(&request.page, apw_throttle_minutes(wait_ms));
    show(&request, 403, wait_ms > 0 ? APW_TEXT_WAIT_PASSWORD : APW_TEXT_REFUSED, false);
}
