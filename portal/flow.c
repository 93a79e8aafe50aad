/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"
#include "challenge.h"
#include "clock.h"
#include "enrol.h"
#include "factor_app.h"
#include "factor_mail.h"
#include "guessing.h"
#include "login.h"
#include "passwords.h"
#include "request.h"
#include "utf8.h"
#include "web/browser.h"
#include <stdlib.h>
#include <string.h>

/* ---- before signing in ---- */

static void show_sign_in(const struct apw_portal *portal, struct apw_exchange *exchange,
                         unsigned status, enum apw_text text, bool is_good)
{
    const char *login = apw_form_value(&exchange->form, APW_FIELD_LOGIN);
    struct apw_request request;
    struct apw_page *page = &request.page;
    /* It may be an app password in the wrong field. */
    bool is_shown =
        !apw_password_is_login(login, strlen(login)) && apw_utf8_is_valid(login, strlen(login));

    apw_request_begin(&request, portal, exchange, NULL);
    apw_page_open(page, status, APW_TITLE_SIGN_IN);
    apw_page_say(page, text, is_good);
    apw_page_set(page, "login", is_shown ? login : "");
    apw_page_add(page, "sign-in.html");
    apw_page_end(page);
}

static void fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status,
                 enum apw_text text)
{
    struct apw_request request;

    apw_request_begin(&request, portal, exchange, NULL);
    apw_page_fail(&request.page, status, text);
    /* For a form on another site the browser withholds our cookie. A new one would replace it and
     * sign the person out; this page has no form that needs one. */
    exchange->new_cookie[0] = '\0';
}

void apw_flow_fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status)
{
    fail(portal, exchange, status,
         status == 404   ? APW_TEXT_NOT_FOUND
         : status == 429 ? APW_TEXT_BUSY
                         : APW_TEXT_BAD_REQUEST);
}

/* Begins a session in place of the one so far, with a new cookie. NULL without memory. */
static struct apw_web_session *begin_session(const struct apw_portal *portal,
                                             struct apw_exchange *exchange,
                                             const char login[APW_LOGIN_SIZE], const char *dn)
{
    struct apw_web_sessions *sessions = portal->site.sessions;
    int64_t now = apw_clock_monotonic_ms();
    struct apw_web_session *session = NULL;
    struct apw_visitor *visitor;
    char site[APW_THROTTLE_NETWORK_SIZE];
    struct apw_web_session_asker asker = {.owner = dn, .network = site};

    apw_throttle_site(exchange->client, site);
    asker.is_known = portal->portal_config->trusted_user_header != NULL ||
                     apw_browser_is_known(portal->portal_config->key, login, exchange->browser);
    if (exchange->cookie[0] != '\0')
        session = apw_web_session_enter(sessions, exchange->cookie, now, NULL);
    if (session != NULL)
        apw_web_session_end(sessions, session);
    session = apw_web_session_begin(sessions, &asker, now, exchange->new_cookie);
    if (session == NULL)
        return NULL;
    visitor = session->content;
    strcpy(visitor->login, login);
    return session;
}

/* ---- with a session ---- */

/* An administrator has reset the second factor, or it was changed in another session. */
static bool is_method_replaced(const struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;

    if (visitor->is_single_sign_on || request->session->level != APW_RIGHTS_FULL)
        return false;
    return !request->account.has_method ||
           !apw_method_is_same(&request->account.method, &visitor->method);
}

/* Ends the session of somebody who must sign in again. */
static void end_session(struct apw_request *request)
{
    const struct apw_portal *portal = request->portal;

    apw_web_session_end(portal->site.sessions, request->session);
    request->session = NULL;
    if (portal->portal_config->trusted_user_header != NULL) /* there is no form to sign in */
        fail(portal, request->exchange, 403, APW_TEXT_SESSION_OVER);
    else
        show_sign_in(portal, request->exchange, 403, APW_TEXT_SESSION_OVER, false);
}

/* Reads the entry. False if the request was answered because that failed. */
static bool read_account(struct apw_request *request)
{
    struct apw_error error = {""};

    switch (apw_account_read(request->portal, request->session->owner, request->visitor->login,
                             &request->account, &error)) {
    case APW_ACCOUNT_UNAVAILABLE:
        apw_request_give_up(request, "look-up", &error);
        return false;
    case APW_ACCOUNT_SEALED:
        apw_request_log(request, APW_UNAVAILABLE, APW_REASON_SECOND_FACTOR_UNREADABLE, "look-up",
                        NULL, &error);
        apw_page_fail(&request->page, 503, APW_TEXT_SEALED);
        return false;
    case APW_ACCOUNT_GONE:
        break;
    case APW_ACCOUNT_THERE:
        if (!is_method_replaced(request))
            return true;
        break;
    }
    end_session(request);
    return false;
}

static void finish(struct apw_request *request)
{
    apw_account_free(&request->account);
    if (request->session != NULL)
        apw_web_session_leave(request->portal->site.sessions, request->session);
}

static void sign_in(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    const struct apw_account_form form = {.login = apw_form_value(&exchange->form, APW_FIELD_LOGIN),
                                          .password =
                                              apw_form_value(&exchange->form, APW_FIELD_PASSWORD),
                                          .client = exchange->client,
                                          .browser = exchange->browser};
    struct apw_web_session *session = NULL;
    struct apw_request request;
    int64_t start = apw_clock_monotonic_ms();
    char login[APW_LOGIN_SIZE], *dn = NULL;
    enum apw_verdict verdict = apw_account_sign_in(portal, &form, login, &dn);

    if (verdict == APW_REFUSED) {
        exchange->due_ms = start + 1 + portal->config->refusal_delay_ms;
        show_sign_in(portal, exchange, 403, APW_TEXT_REFUSED, false);
        return;
    }
    if (verdict == APW_ACCEPTED)
        session = begin_session(portal, exchange, login, dn);
    free(dn);
    if (session == NULL) {
        fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_request_begin(&request, portal, exchange, session);
    if (read_account(&request)) {
        if (session->is_crowding && request.account.has_mfa && request.account.has_method)
            apw_guessing_tell_at_once(&request);
        apw_challenge_send(&request);
        apw_request_go(&request, "");
    }
    finish(&request);
}

static void sign_out(struct apw_request *request)
{
    apw_web_session_end(request->portal->site.sessions, request->session);
    request->session = NULL;
    apw_web_session_make_cookie(request->exchange->new_cookie);
    show_sign_in(request->portal, request->exchange, 200, APW_TEXT_SIGNED_OUT, true);
}

/* ---- routes ---- */

static void show_home(struct apw_request *request)
{
    if (request->session->level == APW_RIGHTS_FULL)
        apw_passwords_show_list(request);
    else if (request->account.has_method)
        apw_challenge_show(request);
    else if (apw_enrol_needs_code(request))
        apw_enrol_show_code(request);
    else
        apw_enrol_show_start(request);
}

/* The same form verifies a new second factor and an enrolled one. */
static void verify(struct apw_request *request)
{
    if (request->visitor->has_pending && apw_enrol_may_choose(request))
        apw_enrol_verify(request);
    else
        apw_challenge_verify(request);
}

enum gate {
    GATE_SIGNED_IN = 0, /* with the account password, at least */
    GATE_CHOOSING,      /* may choose a second factor now */
    GATE_FULL,          /* has all rights */
};

static const struct route {
    const char *path; /* after a path that ends in a slash comes a token */
    bool is_post;
    enum gate gate;
    void (*answer)(struct apw_request *request);
} routes[] = {
    {"", false, GATE_SIGNED_IN, show_home},
    {"enrolment-code", true, GATE_SIGNED_IN, apw_enrol_do_code},
    {"start", true, GATE_SIGNED_IN, apw_enrol_do_start},
    {"resend", true, GATE_SIGNED_IN, apw_challenge_resend},
    {"verify", true, GATE_SIGNED_IN, verify},
    {"this-browser/", false, GATE_SIGNED_IN, apw_guessing_show_link},
    {"this-browser/", true, GATE_SIGNED_IN, apw_guessing_do_link},
    {"choose", false, GATE_CHOOSING, apw_enrol_show_choose},
    {"choose", true, GATE_CHOOSING, apw_enrol_do_choose},
    {"app", false, GATE_CHOOSING, apw_factor_app_show},
    {"contact", false, GATE_CHOOSING, apw_factor_mail_show_contact},
    {"contact", true, GATE_CHOOSING, apw_factor_mail_do_contact},
    {"contact-code", false, GATE_CHOOSING, apw_factor_mail_show_code},
    {"verified", false, GATE_FULL, apw_enrol_show_verified},
    {"create", true, GATE_FULL, apw_passwords_do_create},
    {"password", false, GATE_FULL, apw_passwords_show_new},
    {"profile", false, GATE_FULL, apw_passwords_show_profile},
    {"profile/", false, GATE_FULL, apw_passwords_show_profile},
    {"revoke", true, GATE_FULL, apw_passwords_do_revoke},
    {"revoke-all", true, GATE_FULL, apw_passwords_do_revoke_all},
    {"change-method", true, GATE_FULL, apw_enrol_do_change},
};

static bool is_let_through(const struct apw_request *request, enum gate gate)
{
    switch (gate) {
    case GATE_SIGNED_IN:
        return true;
    case GATE_CHOOSING:
        return apw_enrol_may_choose(request);
    case GATE_FULL:
        break;
    }
    return request->session->level == APW_RIGHTS_FULL;
}

static const struct route *find_route(const char *path, bool is_post)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];
        size_t length = strlen(route->path);
        bool has_token = length > 0 && route->path[length - 1] == '/';

        if (route->is_post == is_post &&
            (has_token ? strncmp(path, route->path, length) == 0 : strcmp(path, route->path) == 0))
            return route;
    }
    return NULL;
}

static void answer_account(struct apw_request *request)
{
    const struct apw_exchange *exchange = request->exchange;
    const struct route *route;

    if (!request->account.has_mfa) {
        apw_page_show(&request->page, APW_TITLE_NOT_ENABLED, "not-enabled.html");
        return;
    }
    route = find_route(exchange->path, exchange->is_post);
    if (route == NULL)
        apw_page_fail(&request->page, 404, APW_TEXT_NOT_FOUND);
    else if (is_let_through(request, route->gate))
        route->answer(request);
    else
        apw_request_go(request, ""); /* the start shows the next step for this person */
}

static void answer_session(const struct apw_portal *portal, struct apw_exchange *exchange,
                           struct apw_web_session *session)
{
    struct apw_request request;

    apw_request_begin(&request, portal, exchange, session);
    if (exchange->is_post && strcmp(exchange->path, "sign-out") == 0 &&
        !request.visitor->is_single_sign_on)
        sign_out(&request);
    else if (read_account(&request))
        answer_account(&request);
    finish(&request);
}

static void answer_stranger(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    if (exchange->is_post && strcmp(exchange->path, "sign-in") == 0)
        sign_in(portal, exchange);
    else if (!exchange->is_post && exchange->path[0] == '\0')
        show_sign_in(portal, exchange, 200, APW_TEXT_NONE, false);
    else if (strncmp(exchange->path, "this-browser/", 13) == 0)
        show_sign_in(portal, exchange, 403, APW_TEXT_SIGN_IN_FIRST, false);
    else if (exchange->is_post || find_route(exchange->path, false) != NULL)
        show_sign_in(portal, exchange, 403, APW_TEXT_SESSION_OVER, false);
    else
        fail(portal, exchange, 404, APW_TEXT_NOT_FOUND);
}

/* ---- the site's single sign-on ---- */

static void log_sign_on(const struct apw_portal *portal, const struct apw_exchange *exchange,
                        const char *login, enum apw_verdict verdict, enum apw_reason reason,
                        const struct apw_error *error)
{
    apw_account_log(portal, &(struct apw_account_event){.verdict = verdict,
                                                        .reason = reason,
                                                        .login = login,
                                                        .client = exchange->client,
                                                        .error = error});
}

static struct apw_web_session *begin_signed_on(const struct apw_portal *portal,
                                               struct apw_exchange *exchange,
                                               const char login[APW_LOGIN_SIZE])
{
    struct apw_web_session *session = NULL;
    struct apw_error error = {""};
    struct apw_account account;

    switch (apw_account_find(portal, login, &account, &error)) {
    case APW_ACCOUNT_THERE:
        session = begin_session(portal, exchange, login, account.user->dn);
        apw_account_free(&account);
        break;
    case APW_ACCOUNT_GONE:
        log_sign_on(portal, exchange, login, APW_REFUSED, APW_REASON_UNKNOWN_USER, NULL);
        fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return NULL;
    case APW_ACCOUNT_SEALED:
        log_sign_on(portal, exchange, login, APW_UNAVAILABLE, APW_REASON_SECOND_FACTOR_UNREADABLE,
                    &error);
        fail(portal, exchange, 503, APW_TEXT_SEALED);
        return NULL;
    case APW_ACCOUNT_UNAVAILABLE:
        break;
    }
    if (session == NULL) {
        log_sign_on(portal, exchange, login, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE,
                    &error);
        fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return NULL;
    }
    ((struct apw_visitor *)session->content)->is_single_sign_on = true;
    session->level = APW_RIGHTS_FULL;
    log_sign_on(portal, exchange, login, APW_ACCEPTED, APW_REASON_SINGLE_SIGN_ON, NULL);
    return session;
}

static bool is_signed_on_as(const struct apw_web_session *session, const char *login)
{
    const struct apw_visitor *visitor = session->content;

    return visitor->is_single_sign_on && strcmp(visitor->login, login) == 0;
}

static void answer_signed_on(const struct apw_portal *portal, struct apw_exchange *exchange,
                             struct apw_web_session *session)
{
    const char *typed = exchange->signed_on == NULL ? "" : exchange->signed_on;
    char login[APW_LOGIN_SIZE];

    if (exchange->is_proxy_unknown)
        apw_log_warning(portal->log, "a request names a user without the right "
                                     "X-App-Password-Proxy header; see trusted_user_secret_file "
                                     "in app-password-portal(8)");
    if (apw_login_canonicalize(typed, strlen(typed), NULL, login) != 0) {
        if (session != NULL)
            apw_web_session_end(portal->site.sessions, session);
        fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return;
    }
    if (session != NULL && !is_signed_on_as(session, login)) {
        apw_web_session_end(portal->site.sessions, session);
        session = NULL;
        if (exchange->is_post) { /* the form was another user's */
            fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
            return;
        }
    }
    if (session == NULL)
        session = begin_signed_on(portal, exchange, login);
    if (session != NULL)
        answer_session(portal, exchange, session);
}

void apw_flow_answer(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    const char *token = apw_form_value(&exchange->form, APW_FIELD_CSRF);
    struct apw_web_sessions *sessions = portal->site.sessions;
    struct apw_web_session *session = NULL;
    bool is_busy = false;

    if (exchange->is_post &&
        (exchange->cookie[0] == '\0' ||
         !apw_web_sessions_token_is_right(sessions, exchange->cookie, token))) {
        fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
        return;
    }
    if (exchange->form.is_bad) {
        fail(portal, exchange, 400, APW_TEXT_BAD_REQUEST);
        return;
    }
    if (exchange->cookie[0] != '\0')
        session =
            apw_web_session_enter(sessions, exchange->cookie, apw_clock_monotonic_ms(), &is_busy);
    if (is_busy) {
        fail(portal, exchange, 429, APW_TEXT_BUSY);
        return;
    }
    if (portal->portal_config->trusted_user_header != NULL) {
        answer_signed_on(portal, exchange, session);
    } else if (session != NULL && exchange->is_post && strcmp(exchange->path, "sign-in") == 0) {
        apw_web_session_leave(sessions, session);
        sign_in(portal, exchange);
    } else if (session != NULL) {
        answer_session(portal, exchange, session);
    } else {
        answer_stranger(portal, exchange);
    }
}
