/* SPDX-License-Identifier: BSD-2-Clause */
#include "challenge.h"
#include "factor.h"
#include "factor_mail.h"
#include "factor_passkey.h"
#include "factor_recovery.h"
#include "guessing.h"
#include "recovery.h"
#include "remembered.h"
#include "tries.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

#define ACTION "second-factor"

/* The factor to ask for; NULL if the site no longer allows any that the person has. */
static const struct apw_factor *asked_for(const struct apw_request *request)
{
    const struct apw_factors *factors = &request->account.factors;
    const struct apw_factor *chosen = apw_factors_find(factors, request->visitor->asked);

    return chosen != NULL && chosen->is_allowed ? chosen : apw_factors_usual(factors);
}

static bool is_by_mail(const struct apw_factor *factor)
{
    return factor != NULL && factor->method.kind == APW_METHOD_MAIL;
}

/* Others who know the password may have asked for all codes of this hour, from many networks. */
static enum apw_text send_code(struct apw_request *request, const struct apw_factor *factor)
{
    enum apw_text text = apw_factor_mail_send(request, factor->method.address, "mail-code.txt");

    if (text != APW_TEXT_WAIT_MAIL || !apw_tries_account_waits(request, APW_TRIES_MAIL))
        return text;
    apw_guessing_tell_at_once(request);
    return APW_TEXT_WAIT_A_DAY;
}

void apw_challenge_send(struct apw_request *request)
{
    const struct apw_factor *factor = asked_for(request);

    if (!request->account.has_mfa || !is_by_mail(factor))
        return;
    request->session->flash = send_code(request, factor);
    request->session->is_flash_good = false;
    request->session->is_flash_at_field = false;
}

/* ---- the page ---- */

static void add_form(struct apw_request *request, const struct apw_method *method)
{
    static const struct {
        const char *top, *end, *support;
    } files[APW_METHOD_KIND_COUNT] = {
        [APW_METHOD_APP] = {"challenge-app.html", "challenge-app-end.html", "support-app.html"},
        [APW_METHOD_MAIL] = {"challenge-mail.html", "challenge-mail-end.html", "support-mail.html"},
        [APW_METHOD_PASSKEY] = {"challenge-passkey.html", "challenge-passkey-end.html",
                                "support-passkey.html"},
        [APW_METHOD_RECOVERY] = {"challenge-recovery.html", "challenge-recovery-end.html",
                                 "support-recovery.html"},
    };
    struct apw_buffer credentials = {NULL, 0, 0, false};
    char masked[APW_FACTOR_MAIL_MASKED_SIZE];

    request->page.support = files[method->kind].support;
    if (method->kind == APW_METHOD_MAIL) {
        apw_factor_mail_mask(method->address, masked);
        apw_page_set(&request->page, "address", masked);
    } else if (method->kind == APW_METHOD_PASSKEY) {
        apw_factor_passkey_set_challenge(request, &credentials);
    }
    if (method->kind == APW_METHOD_MAIL && !apw_factor_mail_has_code(request, method->address)) {
        apw_page_add(&request->page, "challenge-mail-unsent.html");
    } else {
        apw_page_add(&request->page, files[method->kind].top);
        apw_remembered_add_box(request);
        apw_page_add(&request->page, files[method->kind].end);
    }
    apw_page_set(&request->page, "address", NULL);
    apw_page_set(&request->page, "credentials", NULL);
    apw_buffer_free(&credentials);
}

static bool is_of_use(const struct apw_factor *factor)
{
    return factor->is_allowed &&
           (factor->method.kind != APW_METHOD_RECOVERY || apw_recovery_left(&factor->method) > 0);
}

/* Without JavaScript, nothing but the others is of use beside a passkey: passkey.js closes them. */
static void add_others(struct apw_request *request, const struct apw_factor *asked)
{
    const struct apw_factors *factors = &request->account.factors;
    char title[APW_FACTOR_TITLE_SIZE];
    bool is_any = false;

    for (size_t i = 0; i < factors->count; i++) {
        const struct apw_factor *factor = &factors->factor[i];

        if (factor == asked || !is_of_use(factor))
            continue;
        if (!is_any) {
            apw_page_set(&request->page, "is_open",
                         asked->method.kind == APW_METHOD_PASSKEY ? "open" : "");
            apw_page_add(&request->page, "others-top.html");
        }
        is_any = true;
        apw_factor_title(request, &factor->method, title);
        apw_page_set(&request->page, "id", factor->method.id);
        apw_page_set(&request->page, "factor", title);
        apw_page_add(&request->page, "others-row.html");
    }
    if (is_any)
        apw_page_add(&request->page, "others-end.html");
}

void apw_challenge_show(struct apw_request *request)
{
    const struct apw_factor *factor = asked_for(request);

    apw_page_open(&request->page, 200, APW_TITLE_CHALLENGE);
    if (factor == NULL) {
        request->page.support = "support-said.html";
        apw_page_add(&request->page, "not-allowed.html");
    } else {
        add_form(request, &factor->method);
        add_others(request, factor);
    }
    apw_page_end(&request->page);
}

void apw_challenge_resend(struct apw_request *request)
{
    const struct apw_factor *factor = asked_for(request);
    enum apw_text text;

    if (request->session->level == APW_RIGHTS_FULL || !is_by_mail(factor)) {
        apw_request_go(request, "");
        return;
    }
    text = send_code(request, factor);
    apw_request_go_saying(request, "", text == APW_TEXT_NONE ? APW_TEXT_CODE_SENT : text,
                          text == APW_TEXT_NONE);
}

void apw_challenge_use(struct apw_request *request)
{
    const struct apw_factor *factor =
        apw_factors_find(&request->account.factors, apw_request_field(request, APW_FIELD_ID));

    if (request->session->level != APW_RIGHTS_FULL && factor != NULL && factor->is_allowed) {
        memcpy(request->visitor->asked, factor->method.id, sizeof request->visitor->asked);
        apw_challenge_send(request);
    }
    apw_request_go(request, "");
}

/* ---- verifying ---- */

static void refuse(struct apw_request *request, const struct apw_method *method,
                   enum apw_reason reason, const struct apw_error *error)
{
    apw_factor_refuse(
        request,
        &(struct apw_factor_refusal){
            .reason = reason, .method = method, .action = ACTION, .error = error, .path = ""});
}

/* `used` is the factor as it is after this use. */
static void pass(struct apw_request *request, const struct apw_factor *factor,
                 const struct apw_method *used)
{
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_factors_apply(request->portal, request->account.user,
                          &(struct apw_factors_change){.removed = factor, .added = used}, &error);

    if (result == APW_MANAGE_DONE) {
        apw_tries_forget(request, APW_TRIES_FACTOR);
        if (used->kind == APW_METHOD_MAIL)
            apw_tries_forget(request, APW_TRIES_MAIL);
        if (used->kind != APW_METHOD_PASSKEY)
            apw_guessing_give_back(request);
        apw_factor_grant(request, used);
        if (used->kind == APW_METHOD_RECOVERY)
            apw_factor_recovery_tell(request, used);
        apw_remembered_keep(request, used);
        apw_request_log(request, APW_ACCEPTED, APW_REASON_SECOND_FACTOR, ACTION, NULL, NULL);
        if (used->kind == APW_METHOD_RECOVERY)
            apw_request_go_saying(request, "", APW_TEXT_RECOVERED, true);
        else
            apw_request_go(request, "");
    } else if (result == APW_MANAGE_CONFLICT) {
        refuse(request, used, APW_REASON_REPLAYED_SECOND_FACTOR, &error);
    } else {
        apw_request_give_up(request, ACTION, &error);
    }
}

/* False if the request was answered because no code may be checked now. */
static bool is_looked_at(struct apw_request *request, enum apw_method_kind kind)
{
    struct apw_error error = {""};

    if (!apw_tries_take(request, APW_TRIES_FACTOR)) {
        refuse(request, NULL, APW_REASON_TOO_MANY_TRIES, NULL);
        if (apw_tries_browser(request) != NULL)
            apw_guessing_tell_at_once(request);
        return false;
    }
    if (kind == APW_METHOD_PASSKEY) /* nobody guesses a signature */
        return true;
    switch (apw_guessing_charge(request, &error)) {
    case APW_ACCEPTED:
        return true;
    case APW_REFUSED:
        apw_request_log(request, APW_REFUSED, APW_REASON_TOO_MANY_TRIES, ACTION, NULL, NULL);
        apw_request_go_saying(request, "", APW_TEXT_WAIT_A_DAY, false);
        apw_guessing_tell(request);
        return false;
    case APW_UNAVAILABLE:
        break;
    }
    apw_request_give_up(request, ACTION, &error);
    return false;
}

/* The factor that the form is about: any passkey of the person, if one is asked for. */
static const struct apw_factor *answered(const struct apw_request *request)
{
    const struct apw_factor *asked = asked_for(request);

    return asked != NULL && asked->method.kind == APW_METHOD_PASSKEY
               ? apw_factor_passkey_answered(request)
               : asked;
}

static void verify(struct apw_request *request, const struct apw_factor *factor)
{
    struct apw_method used = factor->method;
    struct apw_error error = {""};
    enum apw_reason reason;

    used.used = (int64_t)time(NULL);
    reason = apw_factor_check(request, &used, &error);
    if (reason == APW_REASON_SECOND_FACTOR) {
        pass(request, factor, &used);
    } else {
        refuse(request, &used, reason, &error);
        if (used.kind != APW_METHOD_PASSKEY)
            apw_guessing_tell(request);
    }
    sodium_memzero(&used, sizeof used);
}

void apw_challenge_verify(struct apw_request *request)
{
    const struct apw_factor *factor = answered(request);

    if (request->session->level == APW_RIGHTS_FULL || factor == NULL)
        apw_request_go(request, "");
    else if (is_looked_at(request, factor->method.kind))
        verify(request, factor);
}
