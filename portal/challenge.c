/* SPDX-License-Identifier: BSD-2-Clause */
#include "challenge.h"
#include "factor.h"
#include "factor_mail.h"
#include "guessing.h"
#include "tries.h"
#include <sodium.h>

#define ACTION "second-factor"

static bool is_by_mail(const struct apw_account *account)
{
    return account->has_method && account->method.kind == APW_METHOD_MAIL;
}

/* Others who know the password may have asked for all codes of this hour, from many networks. */
static enum apw_text send_code(struct apw_request *request)
{
    enum apw_text text = apw_factor_mail_send(request, request->account.method.address);

    if (text != APW_TEXT_WAIT || !apw_tries_account_waits(request, APW_TRIES_MAIL))
        return text;
    apw_guessing_tell_at_once(request);
    return APW_TEXT_WAIT_A_DAY;
}

void apw_challenge_send(struct apw_request *request)
{
    const struct apw_account *account = &request->account;

    if (!account->has_mfa || !is_by_mail(account))
        return;
    request->session->flash = send_code(request);
    request->session->is_flash_good = false;
}

void apw_challenge_show(struct apw_request *request)
{
    if (is_by_mail(&request->account))
        apw_factor_mail_show_challenge(request);
    else
        apw_page_show(&request->page, APW_TITLE_CHALLENGE, "challenge-app.html");
}

void apw_challenge_resend(struct apw_request *request)
{
    enum apw_text text;

    if (request->session->level == APW_RIGHTS_FULL || !is_by_mail(&request->account)) {
        apw_request_go(request, "");
        return;
    }
    text = send_code(request);
    apw_request_go_saying(request, "", text == APW_TEXT_NONE ? APW_TEXT_CODE_SENT : text,
                          text == APW_TEXT_NONE);
}

static void pass(struct apw_request *request, uint64_t counter)
{
    struct apw_method method = request->account.method;
    enum apw_manage_result result = APW_MANAGE_DONE;
    struct apw_error error = {""};

    if (method.kind == APW_METHOD_APP)
        result = apw_account_use_counter(request->portal, &request->account, counter, &error);
    if (result == APW_MANAGE_DONE) {
        apw_tries_forget(request, APW_TRIES_FACTOR);
        apw_guessing_give_back(request);
        apw_factor_grant(request, &method);
        apw_request_log(request, APW_ACCEPTED, APW_REASON_SECOND_FACTOR, ACTION, NULL, NULL);
        apw_request_go(request, "");
    } else if (result == APW_MANAGE_CONFLICT) {
        apw_factor_refuse(request, APW_REASON_REPLAYED_SECOND_FACTOR, ACTION, "");
    } else {
        apw_request_give_up(request, ACTION, &error);
    }
    sodium_memzero(&method, sizeof method);
}

/* False if the request was answered because no code may be checked now. */
static bool is_looked_at(struct apw_request *request)
{
    struct apw_error error = {""};

    if (!apw_tries_take(request, APW_TRIES_FACTOR)) {
        apw_factor_refuse(request, APW_REASON_TOO_MANY_TRIES, ACTION, "");
        if (apw_tries_browser(request) != NULL)
            apw_guessing_tell_at_once(request);
        return false;
    }
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

void apw_challenge_verify(struct apw_request *request)
{
    uint64_t counter = 0;
    enum apw_reason reason;

    if (request->session->level == APW_RIGHTS_FULL || !request->account.has_method) {
        apw_request_go(request, "");
        return;
    }
    if (!is_looked_at(request))
        return;
    reason = apw_factor_check(request, &request->account.method, &counter);
    if (reason == APW_REASON_SECOND_FACTOR) {
        pass(request, counter);
        return;
    }
    apw_factor_refuse(request, reason, ACTION, "");
    apw_guessing_tell(request);
}
