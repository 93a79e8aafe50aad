/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrol.h"
#include "factor.h"
#include "factor_app.h"
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
    if (has_all_rights || request->account.has_method)
        return has_all_rights && request->visitor->is_choosing;
    return !apw_enrol_needs_code(request);
}

/* ---- the start ---- */

void apw_enrol_show_start(struct apw_request *request)
{
    struct apw_page *page = &request->page;
    char date[APW_REQUEST_TIME_SIZE];

    apw_page_open(page, 200, APW_TITLE_START);
    if (request->account.is_announced) {
        apw_request_format_time(request->account.user->enforce_from, false, date);
        apw_page_set(page, "date", date);
        apw_page_add(page, "announced.html");
    }
    apw_page_add(page, "start.html");
    apw_page_end(page);
}

void apw_enrol_do_start(struct apw_request *request)
{
    apw_request_go(request, apw_enrol_may_choose(request) ? "choose" : "");
}

/* ---- the administrator's code ---- */

void apw_enrol_show_code(struct apw_request *request)
{
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

    if (request->account.has_method || request->session->level == APW_RIGHTS_FULL) {
        apw_request_go(request, "");
        return;
    }
    if (!apw_tries_take(request, APW_TRIES_CODE)) {
        apw_factor_refuse(request, APW_REASON_TOO_MANY_TRIES, "enrolment-code", "");
        return;
    }
    switch (apw_account_check_code(request->portal, &request->account, typed, &value, &error)) {
    case APW_ACCEPTED:
        accept_code(request, value);
        return;
    case APW_REFUSED:
        apw_request_log(request, APW_REFUSED, APW_REASON_WRONG_ENROLMENT_CODE, "enrolment-code",
                        NULL, NULL);
        apw_request_go_saying(request, "", APW_TEXT_WRONG_ENROLMENT_CODE, false);
        return;
    case APW_UNAVAILABLE:
        break;
    }
    apw_request_give_up(request, "enrolment-code", &error);
}

/* ---- choosing ---- */

void apw_enrol_show_choose(struct apw_request *request)
{
    apw_page_show(&request->page, APW_TITLE_CHOOSE, "choose.html");
}

void apw_enrol_do_choose(struct apw_request *request)
{
    const char *method = apw_request_field(request, APW_FIELD_METHOD);
    enum apw_text text = apw_request_check_field(request, APW_FIELD_METHOD);

    apw_visitor_forget_pending(request->visitor);
    apw_visitor_forget_mail_code(request->visitor);
    if (text != APW_TEXT_NONE) {
        apw_request_go_saying(request, "choose", text, false);
    } else if (strcmp(method, "app") == 0) {
        apw_factor_app_begin(request->visitor);
        apw_request_go(request, "app");
    } else {
        apw_request_go(request, "contact");
    }
}

void apw_enrol_do_change(struct apw_request *request)
{
    if (request->visitor->is_single_sign_on) {
        apw_request_go(request, "");
        return;
    }
    request->visitor->is_choosing = true;
    apw_request_go(request, "choose");
}

/* ---- verifying ---- */

/* Whether the code that lets this person enroll still exists. */
static bool is_code_there(const struct apw_request *request)
{
    const struct apw_values *values = &request->account.user->method;

    if (request->portal->portal_config->enrolment == APW_ENROLMENT_OPEN ||
        request->account.has_method)
        return true;
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->value[i].bytes, request->visitor->enrolment_code_value) == 0)
            return true;
    return false;
}

static void forget_enrollment(struct apw_visitor *visitor)
{
    apw_secret_free(&visitor->enrolment_code_value);
    apw_visitor_forget_pending(visitor);
}

static void finish(struct apw_request *request, const struct apw_method *method, const char *action)
{
    bool is_change = request->account.has_method;

    apw_tries_forget(request, APW_TRIES_FACTOR);
    forget_enrollment(request->visitor);
    apw_factor_grant(request, method);
    apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, action, NULL, NULL);
    apw_request_notify(request, is_change ? "mail-method.txt" : "mail-enrolled.txt", NULL);
    if (is_change)
        apw_request_go_saying(request, "", APW_TEXT_METHOD_CHANGED, true);
    else
        apw_request_go(request, "verified");
}

static void enrol(struct apw_request *request, uint64_t counter)
{
    struct apw_method method = request->visitor->pending;
    const char *action = request->account.has_method ? "change-method" : "enrol";
    enum apw_manage_result result = APW_MANAGE_CONFLICT;
    struct apw_error error = {""};

    method.since = (int64_t)time(NULL);
    method.counter = counter;
    if (is_code_there(request))
        result = apw_account_enrol(request->portal, &request->account, &method, &error);
    if (result == APW_MANAGE_DONE) {
        finish(request, &method, action);
    } else if (result == APW_MANAGE_CONFLICT) {
        forget_enrollment(request->visitor);
        apw_request_log(request, APW_REFUSED, APW_REASON_NOT_DONE, action, NULL, &error);
        apw_request_go_saying(request, "", APW_TEXT_ALREADY_ENROLLED, false);
    } else {
        apw_request_give_up(request, action, &error);
    }
    sodium_memzero(&method, sizeof method);
}

void apw_enrol_verify(struct apw_request *request)
{
    const struct apw_method *pending = &request->visitor->pending;
    const char *path = pending->kind == APW_METHOD_APP ? "app" : "contact-code";
    uint64_t counter = 0;
    enum apw_reason reason;

    if (!apw_tries_take(request, APW_TRIES_FACTOR)) {
        apw_factor_refuse(request, APW_REASON_TOO_MANY_TRIES, "enrol", path);
        return;
    }
    reason = apw_factor_check(request, pending, &counter);
    if (reason == APW_REASON_SECOND_FACTOR)
        enrol(request, counter);
    else
        apw_factor_refuse(request, reason, "enrol", path);
}

void apw_enrol_show_verified(struct apw_request *request)
{
    apw_page_set(&request->page, "label", apw_request_text(request, APW_TEXT_FIRST_LABEL));
    apw_page_show(&request->page, APW_TITLE_VERIFIED, "verified.html");
}
