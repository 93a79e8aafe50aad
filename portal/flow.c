/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"
#include "admission.h"
#include "autoconfig.h"
#include "challenge.h"
#include "clock.h"
#include "guessing.h"
#include "helpdesk.h"
#include "invited.h"
#include "login.h"
#include "new_password.h"
#include "pending_reset.h"
#include "remembered.h"
#include "request.h"
#include "routes.h"
#include "stranger.h"
#include "web/browser.h"
#include <stdlib.h>
#include <string.h>

/* Without a click, people who read how to set up their phone or mail program stay for so long. */
#define READING_S (30 * 60)

void apw_flow_fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status)
{
    apw_stranger_fail(portal, exchange, status,
                      status == 404   ? APW_TEXT_NOT_FOUND
                      : status == 429 ? APW_TEXT_BUSY
                      : status == 503 ? APW_TEXT_FULL
                                      : APW_TEXT_BAD_REQUEST);
}

/* ---- with a session ---- */

/* An administrator has reset the second factor that was passed, or it was removed in another
 * session. */
static bool is_method_gone(const struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;
    const struct apw_factor *factor;

    if (visitor->is_single_sign_on || request->session->level != APW_RIGHTS_FULL)
        return false;
    factor = apw_factors_find(&request->account.factors, visitor->method.id);
    return factor == NULL || !factor->is_allowed ||
           !apw_method_is_same(&factor->method, &visitor->method);
}

/* Ends the session of somebody who must sign in again. */
static void end_session(struct apw_request *request, enum apw_text why)
{
    const struct apw_portal *portal = request->portal;

    apw_web_session_end(portal->site.sessions, request->session);
    request->session = NULL;
    if (portal->portal_config->proxy.user_header != NULL) /* there is no form to sign in */
        apw_stranger_fail(portal, request->exchange, 403, why);
    else
        apw_stranger_show_signed_out(portal, request->exchange, why);
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
        end_session(request, APW_TEXT_ACCOUNT_GONE);
        return false;
    case APW_ACCOUNT_THERE:
        break;
    }
    if (!is_method_gone(request))
        return true;
    end_session(request, APW_TEXT_METHOD_REPLACED);
    return false;
}

static void finish(struct apw_request *request)
{
    apw_account_free(&request->account);
    apw_account_free(&request->helped);
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
    struct apw_account_sign_in found;
    enum apw_verdict verdict = apw_account_sign_in(portal, &form, &found);

    if (verdict == APW_REFUSED) {
        exchange->due_ms = start + 1 + portal->config->refusal_delay_ms;
        apw_stranger_refuse(portal, exchange, found.wait_ms);
        return;
    }
    if (verdict == APW_ACCEPTED)
        session = apw_admission_begin(portal, exchange, found.login, found.dn);
    free(found.dn);
    if (session == NULL) {
        apw_stranger_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_request_begin(&request, portal, exchange, session);
    if (read_account(&request) && apw_pending_reset_carry_out(&request)) {
        bool is_staff = apw_helpdesk_may_be_staff(&request);
        bool is_in = !is_staff && apw_remembered_let_in(&request, form.password);

        if (!is_in && !is_staff)
            apw_remembered_prepare(&request, form.password);
        if (!is_in && session->is_crowding && request.account.has_mfa &&
            request.account.factors.count > 0)
            apw_guessing_tell_at_once(&request);
        if (!is_in)
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
    request->exchange->is_draft_over = true;
    if (request->portal->portal_config->proxy.user_header != NULL) { /* there is no form */
        apw_request_go(request, "");
        return;
    }
    apw_stranger_show_sign_in(request->portal, request->exchange, 200, APW_TEXT_SIGNED_OUT, true);
}

/* ---- which page ---- */

/* Whether this person is setting up the second step or a mail program. */
static bool is_setting_up(const struct apw_request *request)
{
    return request->account.factors.count == 0 || request->visitor->is_choosing ||
           request->account.user->password_count == 0 ||
           strcmp(request->exchange->path, "password") == 0;
}

/* From a script of the page that is open. */
static bool is_background(const struct apw_exchange *exchange)
{
    return !exchange->is_post &&
           (strcmp(exchange->path, "stay") == 0 || strcmp(exchange->path, "device-used") == 0);
}

static void answer_account(struct apw_request *request)
{
    const struct apw_exchange *exchange = request->exchange;
    const struct apw_route *route = apw_routes_find(request->portal, exchange);

    apw_new_password_forget_old(request->visitor, exchange);
    if (!request->account.has_mfa) {
        apw_page_show(&request->page, APW_TITLE_NOT_ENABLED, "not-enabled.html");
        return;
    }
    if (request->visitor->is_invited) {
        if (strcmp(exchange->path, "stay") == 0 && !exchange->is_post)
            apw_routes_answer(route, request);
        else
            apw_invited_answer_session(request);
        return;
    }
    if (!is_background(exchange) &&
        (exchange->is_post || strncmp(exchange->path, "recovery-codes", 14) != 0))
        apw_visitor_forget_codes(request->visitor); /* their page was left */
    if (!is_background(exchange))
        request->session->idle_s = is_setting_up(request) ? READING_S : APW_WEB_SESSION_IDLE_S;
    if (route == NULL)
        apw_page_fail(&request->page, 404, APW_TEXT_NOT_FOUND);
    else
        apw_routes_answer(route, request);
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

/* `why` nobody is signed in. */
static void answer_stranger(const struct apw_portal *portal, struct apw_exchange *exchange,
                            enum apw_web_absence why)
{
    if (exchange->is_post && strcmp(exchange->path, "sign-in") == 0)
        sign_in(portal, exchange);
    else if (!exchange->is_post && exchange->path[0] == '\0')
        apw_stranger_show_sign_in(portal, exchange, 200, apw_stranger_why(why), false);
    else if (strncmp(exchange->path, "this-browser/", 13) == 0)
        apw_stranger_show_sign_in(portal, exchange, 403, APW_TEXT_SIGN_IN_FIRST, false);
    else if (exchange->is_post || apw_routes_find(portal, exchange) != NULL)
        apw_stranger_show_signed_out(portal, exchange, apw_stranger_why(why));
    else
        apw_stranger_fail(portal, exchange, 404, APW_TEXT_NOT_FOUND);
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
        session = apw_admission_begin(portal, exchange, login, account.user->dn);
        apw_account_free(&account);
        break;
    case APW_ACCOUNT_GONE:
        log_sign_on(portal, exchange, login, APW_REFUSED, APW_REASON_UNKNOWN_USER, NULL);
        apw_stranger_fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return NULL;
    case APW_ACCOUNT_SEALED:
        log_sign_on(portal, exchange, login, APW_UNAVAILABLE, APW_REASON_SECOND_FACTOR_UNREADABLE,
                    &error);
        apw_stranger_fail(portal, exchange, 503, APW_TEXT_SEALED);
        return NULL;
    case APW_ACCOUNT_UNAVAILABLE:
        break;
    }
    if (session == NULL) {
        log_sign_on(portal, exchange, login, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE,
                    &error);
        apw_stranger_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return NULL;
    }
    ((struct apw_visitor *)session->content)->is_single_sign_on = true;
    session->level = APW_RIGHTS_FULL;
    log_sign_on(portal, exchange, login, APW_ACCEPTED, APW_REASON_SINGLE_SIGN_ON, NULL);
    return session;
}

/* Somebody who opened an invitation's link does not sign on. */
static bool is_invited(const struct apw_web_session *session)
{
    const struct apw_visitor *visitor = session->content;

    return visitor->is_invited;
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
        apw_stranger_fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return;
    }
    if (session != NULL && !is_signed_on_as(session, login)) {
        apw_web_session_end(portal->site.sessions, session);
        session = NULL;
        if (exchange->is_post) { /* the form was another user's */
            apw_stranger_fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
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
    enum apw_web_absence why = APW_WEB_ABSENCE_UNKNOWN;

    if (apw_autoconfig_answer(portal, exchange))
        return;
    if (exchange->is_post &&
        (exchange->cookie[0] == '\0' ||
         !apw_web_sessions_token_is_right(sessions, exchange->cookie, token))) {
        if (!apw_invited_show_again(portal, exchange))
            apw_stranger_refuse_form(portal, exchange);
        return;
    }
    if (exchange->form.is_bad) {
        apw_stranger_fail(portal, exchange, 400, APW_TEXT_BAD_REQUEST);
        return;
    }
    if (strncmp(exchange->path, APW_INVITATION_PATH, sizeof APW_INVITATION_PATH - 1) == 0) {
        apw_invited_answer(portal, exchange);
        return;
    }
    if (exchange->cookie[0] != '\0')
        session = apw_web_session_enter(sessions, exchange->cookie, apw_clock_monotonic_ms(), &why);
    if (why == APW_WEB_ABSENCE_BUSY) {
        apw_stranger_fail(portal, exchange, 429, APW_TEXT_BUSY);
        return;
    }
    if (session != NULL && is_invited(session) && strcmp(exchange->path, "sign-in") != 0) {
        answer_session(portal, exchange, session);
    } else if (portal->portal_config->proxy.user_header != NULL) {
        answer_signed_on(portal, exchange, session);
    } else if (session != NULL && exchange->is_post && strcmp(exchange->path, "sign-in") == 0) {
        apw_web_session_leave(sessions, session);
        sign_in(portal, exchange);
    } else if (session != NULL) {
        answer_session(portal, exchange, session);
    } else {
        answer_stranger(portal, exchange, why);
    }
}
