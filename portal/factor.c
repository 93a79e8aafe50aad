/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor.h"
#include "factor_app.h"
#include "factor_mail.h"
#include "factor_passkey.h"
#include "recovery.h"
#include "tries.h"
#include "web/browser.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void apw_factor_title(const struct apw_request *request, const struct apw_method *method,
                      char title_r[APW_FACTOR_TITLE_SIZE])
{
    char masked[APW_FACTOR_MAIL_MASKED_SIZE] = "";
    const char *kind = apw_request_text(request, APW_TEXT_METHOD_APP);
    const char *name = method->name;

    switch (method->kind) {
    case APW_METHOD_APP:
        break;
    case APW_METHOD_PASSKEY:
        kind = apw_request_text(request, APW_TEXT_METHOD_PASSKEY);
        break;
    case APW_METHOD_RECOVERY:
        kind = apw_request_text(request, APW_TEXT_METHOD_RECOVERY);
        break;
    case APW_METHOD_MAIL:
        kind = apw_request_text(request, APW_TEXT_METHOD_MAIL);
        apw_factor_mail_mask(method->address, masked);
        if (name[0] == '\0')
            name = masked;
        break;
    }
    snprintf(title_r, APW_FACTOR_TITLE_SIZE, name[0] != '\0' ? "%s – %s" : "%s", kind, name);
}

enum apw_reason apw_factor_check(const struct apw_request *request, struct apw_method *method,
                                 struct apw_error *error)
{
    switch (method->kind) {
    case APW_METHOD_APP:
        return apw_factor_app_check(request, method);
    case APW_METHOD_MAIL:
        return apw_factor_mail_check(request, method);
    case APW_METHOD_PASSKEY:
        return apw_factor_passkey_check(request, method, error);
    case APW_METHOD_RECOVERY:
        return apw_recovery_use(method, apw_request_field(request, APW_FIELD_CODE))
                   ? APW_REASON_SECOND_FACTOR
                   : APW_REASON_WRONG_SECOND_FACTOR;
    }
    return APW_REASON_INTERNAL_ERROR;
}

/* What is wrong with the phone's clock, if that is why the code is wrong. An attacker must not
 * learn which codes will be right later: this is only told while a key is set up, and in a known
 * browser. */
static enum apw_text judge_clock(struct apw_request *request, const struct apw_method *method)
{
    bool is_setting_up = request->visitor->has_pending;
    int64_t ahead_s;

    if (method->kind != APW_METHOD_APP || (!is_setting_up && apw_tries_browser(request) == NULL))
        return APW_TEXT_NONE;
    ahead_s = apw_totp_find_ahead(method, apw_request_field(request, APW_FIELD_CODE),
                                  (int64_t)time(NULL));
    if (ahead_s == 0)
        return APW_TEXT_NONE;
    request->session->flash_minutes = (unsigned)(imaxabs(ahead_s) + 59) / 60;
    return ahead_s > 0 ? APW_TEXT_CLOCK_AHEAD : APW_TEXT_CLOCK_BEHIND;
}

/* About a factor that was checked and is not right. */
static void complain(struct apw_request *request, const struct apw_factor_refusal *refusal)
{
    const struct apw_mail_code *mail = &request->visitor->mail;
    enum apw_text text = judge_clock(request, refusal->method);

    if (refusal->method->kind == APW_METHOD_PASSKEY)
        apw_request_go_saying(request, refusal->path, APW_TEXT_WRONG_PASSKEY, false);
    else if (refusal->method->kind == APW_METHOD_RECOVERY)
        apw_request_go_complaining(request, refusal->path, APW_TEXT_WRONG_RECOVERY_CODE);
    else if (refusal->method->kind != APW_METHOD_MAIL || mail->address[0] == '\0')
        apw_request_go_complaining(request, refusal->path,
                                   text != APW_TEXT_NONE ? text : APW_TEXT_WRONG_CODE);
    else if (apw_factor_mail_has_code(request, mail->address))
        apw_request_go_complaining(request, refusal->path, APW_TEXT_WRONG_MAIL_CODE);
    else
        apw_request_go_saying(request, refusal->path, APW_TEXT_DEAD_MAIL_CODE, false);
}

void apw_factor_refuse(struct apw_request *request, const struct apw_factor_refusal *refusal)
{
    enum apw_reason reason = refusal->reason;
    const char *action = refusal->action;
    enum apw_tries_kind tries =
        strcmp(action, "enrolment-code") == 0 ? APW_TRIES_CODE : APW_TRIES_FACTOR;

    if (reason == APW_REASON_INTERNAL_ERROR) {
        apw_request_log(request, APW_UNAVAILABLE, reason, action, NULL, refusal->error);
        apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_request_log(request, APW_REFUSED, reason, action, NULL, refusal->error);
    if (reason == APW_REASON_TOO_MANY_TRIES)
        apw_request_go_waiting(request, refusal->path, APW_TEXT_WAIT,
                               apw_tries_wait_minutes(request, tries));
    else
        complain(request, refusal);
}

void apw_factor_grant(struct apw_request *request, const struct apw_method *method)
{
    const struct apw_portal *portal = request->portal;
    struct apw_visitor *visitor = request->visitor;

    request->session->level = APW_RIGHTS_FULL;
    request->session->is_known = true;
    visitor->method = *method;
    visitor->is_choosing = false;
    apw_visitor_forget_pending(visitor);
    apw_visitor_forget_mail_code(visitor);
    visitor->asked[0] = '\0';
    apw_web_session_renew(portal->site.sessions, request->session, request->exchange->new_cookie);
    if (apw_tries_browser(request) == NULL ||
        !apw_browser_is_known_since(portal->portal_config->key, visitor->login,
                                    request->exchange->browser, method->since))
        apw_browser_mark(portal->portal_config->key, visitor->login,
                         request->exchange->new_browser);
}
