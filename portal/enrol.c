/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrol.h"
#include "factor.h"
#include "factor_app.h"
#include "factor_passkey.h"
#include "factor_recovery.h"
#include "moment.h"
#include "notice.h"
#include "tries.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

/* ---- may I? ---- */

bool apw_enrol_needs_code(const struct apw_request *request)
{
    return request->portal->portal_config->enrolment == APW_ENROLMENT_CODE &&
           request->visitor->enrolment_code_value == NULL;
}

bool apw_enrol_may_choose(const struct apw_request *request)
{
    bool has_all_rights = request->session->level == APW_RIGHTS_FULL;

    if (!request->account.has_mfa || request->visitor->is_single_sign_on)
        return false;
    if (has_all_rights || request->account.factors.count > 0)
        return has_all_rights && request->visitor->is_choosing;
    return !apw_enrol_needs_code(request);
}

/* ---- the start ---- */

void apw_enrol_show_start(struct apw_request *request)
{
    struct apw_page *page = &request->page;
    char date[APW_MOMENT_SIZE];

    apw_page_open(page, 200, APW_TITLE_START);
    if (request->account.is_announced) {
        apw_moment_day(request->portal->site.texts, request->exchange->language,
                       request->account.user->enforce_from, date);
        apw_page_set(page, "date", date);
        apw_page_add(page, "announced.html");
    }
    apw_page_add(page,
                 request->account.user->password_count > 0 ? "start-again.html" : "start.html");
    apw_page_end(page);
}

void apw_enrol_do_start(struct apw_request *request)
{
    apw_request_go(request, apw_enrol_may_choose(request) ? "choose" : "");
}

/* ---- the administrator's code ---- */

void apw_enrol_show_code(struct apw_request *request)
{
    request->page.support = "support-enrolment.html";
    apw_page_show(&request->page, APW_TITLE_ENROLMENT_CODE, "enrolment-code.html");
}

/* Takes over `value`. */
static void accept_code(struct apw_request *request, char *value)
{
    struct apw_visitor *visitor = request->visitor;

    apw_tries_forget(request, APW_TRIES_CODE);
    apw_secret_free(&visitor->enrolment_code_value);
    visitor->enrolment_code_value = value;
    apw_web_session_renew(request->portal->site.sessions, request->session,
                          request->exchange->new_cookie);
    apw_request_log(request, APW_ACCEPTED, APW_REASON_ENROLMENT_CODE, "enrolment-code", NULL, NULL);
    apw_request_go(request, "");
}

void apw_enrol_do_code(struct apw_request *request)
{
    const char *typed = apw_request_field(request, APW_FIELD_CODE);
    struct apw_error error = {""};
    char *value = NULL;

    if (request->account.factors.count > 0 || request->session->level == APW_RIGHTS_FULL) {
        apw_request_go(request, "");
        return;
    }
    if (!apw_tries_take(request, APW_TRIES_CODE)) {
        apw_factor_refuse(request, &(struct apw_factor_refusal){.reason = APW_REASON_TOO_MANY_TRIES,
                                                                .action = "enrolment-code",
                                                                .path = ""});
        return;
    }
    switch (apw_account_check_code(request->portal, &request->account, typed, &value, &error)) {
    case APW_ACCEPTED:
        accept_code(request, value);
        return;
    case APW_REFUSED:
        apw_request_log(request, APW_REFUSED, APW_REASON_WRONG_ENROLMENT_CODE, "enrolment-code",
                        NULL, NULL);
        apw_request_go_complaining(request, "", APW_TEXT_WRONG_ENROLMENT_CODE);
        return;
    case APW_UNAVAILABLE:
        break;
    }
    apw_request_give_up(request, "enrolment-code", &error);
}

/* ---- choosing ---- */

/* The kinds to choose from, the safest first. */
static const struct {
    enum apw_method_kind kind;
    const char *file;
} choices[] = {
    {APW_METHOD_PASSKEY, "choose-passkey.html"},
    {APW_METHOD_APP, "choose-totp.html"},
    {APW_METHOD_MAIL, "choose-mail.html"},
};

void apw_enrol_show_choose(struct apw_request *request)
{
    const bool *allows = request->portal->portal_config->factors.allows;
    struct apw_page *page = &request->page;

    apw_page_set(page, "checked", "checked");
    apw_page_open(page, 200, APW_TITLE_CHOOSE);
    apw_request_add_setting_up_step(request, 1);
    apw_page_add(page, "choose-top.html");
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (!allows[choices[i].kind])
            continue;
        apw_page_add(page, choices[i].file);
        apw_page_set(page, "checked", "");
    }
    apw_page_add(page, "choose-end.html");
    apw_request_add_cancel(request);
    apw_page_end(page);
}

/* NONE, or why not. */
static enum apw_text read_choice(const struct apw_request *request, enum apw_method_kind *kind_r)
{
    const char *name = apw_request_field(request, APW_FIELD_METHOD);

    return apw_method_kind_read(name, strlen(name), kind_r) == 0 &&
                   *kind_r != APW_METHOD_RECOVERY &&
                   request->portal->portal_config->factors.allows[*kind_r]
               ? APW_TEXT_NONE
               : APW_TEXT_CHOOSE_ONE;
}

void apw_enrol_do_choose(struct apw_request *request)
{
    enum apw_method_kind kind = APW_METHOD_APP;
    enum apw_text text = read_choice(request, &kind);

    apw_visitor_forget_pending(request->visitor);
    apw_visitor_forget_mail_code(request->visitor);
    if (text != APW_TEXT_NONE) {
        apw_request_go_complaining(request, "choose", text);
        return;
    }
    switch (kind) {
    case APW_METHOD_APP:
        apw_factor_app_begin(request);
        apw_request_go(request, "app");
        return;
    case APW_METHOD_MAIL:
        apw_request_go(request, "contact");
        return;
    case APW_METHOD_PASSKEY:
        apw_request_go(request, "passkey");
        return;
    case APW_METHOD_RECOVERY:
        break;
    }
}

void apw_enrol_do_add(struct apw_request *request)
{
    if (request->visitor->is_single_sign_on) {
        apw_request_go(request, "");
    } else if (apw_factors_count(&request->account.factors) >= APW_FACTORS_MAX) {
        apw_request_go_saying(request, "second-steps", APW_TEXT_TOO_MANY_FACTORS, false);
    } else {
        request->visitor->is_choosing = true;
        apw_request_go(request, "choose");
    }
}

/* ---- verifying ---- */

/* Whether the code that lets this person enroll still exists. */
static bool is_code_there(const struct apw_request *request)
{
    return request->portal->portal_config->enrolment == APW_ENROLMENT_OPEN ||
           request->account.factors.count > 0 ||
           apw_user_has_method(request->account.user, request->visitor->enrolment_code_value);
}

static void forget_enrollment(struct apw_visitor *visitor)
{
    apw_secret_free(&visitor->enrolment_code_value);
    apw_visitor_forget_pending(visitor);
}

static void finish(struct apw_request *request, const struct apw_method *method, bool is_first)
{
    char title[APW_FACTOR_TITLE_SIZE];

    apw_tries_forget(request, APW_TRIES_FACTOR);
    if (method->kind == APW_METHOD_MAIL)
        apw_tries_forget(request, APW_TRIES_MAIL);
    forget_enrollment(request->visitor);
    request->exchange->is_draft_over = true;
    apw_factor_grant(request, method);
    apw_request_audit(request, is_first ? APW_AUDIT_ENROL : APW_AUDIT_ADD_FACTOR, NULL, NULL);
    apw_factor_title(request, method, title);
    apw_page_set(&request->page, "factor", title);
    apw_notice_tell_all(request, is_first ? "mail-enrolled.txt" : "mail-factor-added.txt");
    if (!is_first) {
        apw_request_go_saying(request, "second-steps", APW_TEXT_FACTOR_ADDED, true);
        return;
    }
    request->visitor->is_beginner = request->account.user->password_count == 0;
    apw_factor_recovery_begin(request);
}

/* Stores a verified factor. A further one only if the one that was passed is still there. */
static void enrol(struct apw_request *request, struct apw_method *method)
{
    const struct apw_factors *factors = &request->account.factors;
    bool is_first = factors->count == 0;
    enum apw_audit_action action = is_first ? APW_AUDIT_ENROL : APW_AUDIT_ADD_FACTOR;
    const struct apw_factors_change change = {
        .kept = is_first ? NULL : apw_factors_find(factors, request->visitor->method.id),
        .added = method};
    enum apw_manage_result result = APW_MANAGE_CONFLICT;
    struct apw_error error = {""};

    apw_method_make_id(method->id);
    method->since = method->used = (int64_t)time(NULL);
    if (is_code_there(request))
        result = apw_factors_apply(request->portal, request->account.user, &change, &error);
    if (result == APW_MANAGE_DONE) {
        finish(request, method, is_first);
    } else if (result == APW_MANAGE_CONFLICT) {
        forget_enrollment(request->visitor);
        apw_request_audit(request, action, NULL, &error);
        apw_request_go_saying(request, is_first ? "" : "second-steps",
                              is_first ? APW_TEXT_ALREADY_ENROLLED : APW_TEXT_CHANGED_MEANWHILE,
                              false);
    } else {
        apw_request_fail_change(request, action, NULL, &error);
    }
}

static void refuse(struct apw_request *request, const struct apw_method *method,
                   enum apw_reason reason, const char *path)
{
    apw_factor_refuse(request,
                      &(struct apw_factor_refusal){
                          .reason = reason, .method = method, .action = "enrol", .path = path});
}

void apw_enrol_verify(struct apw_request *request)
{
    struct apw_method method = request->visitor->pending;
    const char *path = method.kind == APW_METHOD_APP ? "app" : "contact-code";
    enum apw_reason reason = APW_REASON_TOO_MANY_TRIES;

    if (apw_tries_take(request, APW_TRIES_FACTOR))
        reason = apw_factor_check(request, &method, &(struct apw_error){""});
    if (reason == APW_REASON_SECOND_FACTOR)
        enrol(request, &method);
    else
        refuse(request, &method, reason, path);
    sodium_memzero(&method, sizeof method);
}

void apw_enrol_do_passkey(struct apw_request *request)
{
    struct apw_method method = {.kind = APW_METHOD_PASSKEY};

    if (!request->portal->portal_config->factors.allows[APW_METHOD_PASSKEY])
        apw_request_go(request, "choose");
    else if (!apw_tries_take(request, APW_TRIES_FACTOR))
        refuse(request, &method, APW_REASON_TOO_MANY_TRIES, "passkey");
    else if (apw_factor_passkey_register(request, &method))
        enrol(request, &method);
    else
        apw_request_go_saying(request, "passkey", APW_TEXT_WRONG_PASSKEY, false);
    sodium_memzero(&method, sizeof method);
}

void apw_enrol_show_verified(struct apw_request *request)
{
    struct apw_page *page = &request->page;

    if (request->account.user->password_count > 0) {
        apw_request_go(request, "");
        return;
    }
    apw_page_set(page, "label", apw_request_text(request, APW_TEXT_FIRST_LABEL));
    apw_page_open(page, 200, APW_TITLE_VERIFIED);
    if (request->visitor->is_beginner)
        apw_request_add_step(request, 3, 4);
    apw_page_add(page, "verified.html");
    apw_page_end(page);
}
