/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_mail.h"
#include "clock.h"
#include "notice.h"
#include "own_domains.h"
#include "tries.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CODE_MINUTES 10
#define CODE_TRIES   5

static void make_code(struct apw_mail_code *mail, const char *address)
{
    snprintf(mail->code, sizeof mail->code, "%06u", (unsigned)randombytes_uniform(1000000));
    snprintf(mail->address, sizeof mail->address, "%s", address);
    mail->tries_left = CODE_TRIES;
    mail->until_ms = apw_clock_monotonic_ms() + CODE_MINUTES * 60 * 1000;
}

enum apw_text apw_factor_mail_send(struct apw_request *request, const char *address,
                                   const char *file)
{
    struct apw_mail_code *mail = &request->visitor->mail;
    char minutes[8];
    enum apw_mail_result result;

    if (!apw_tries_take(request, APW_TRIES_MAIL)) {
        apw_request_log(request, APW_REFUSED, APW_REASON_TOO_MANY_TRIES, "send-code", NULL, NULL);
        request->session->flash_minutes = apw_tries_wait_minutes(request, APW_TRIES_MAIL);
        return APW_TEXT_WAIT_MAIL;
    }
    make_code(mail, address);
    snprintf(minutes, sizeof minutes, "%d", CODE_MINUTES);
    apw_page_set(&request->page, "code", mail->code);
    apw_page_set(&request->page, "minutes", minutes);
    result = apw_notice_mail(request, address, file);
    apw_page_set(&request->page, "code", NULL);
    apw_page_set(&request->page, "minutes", NULL);
    if (result == APW_MAIL_SENT)
        return APW_TEXT_NONE;
    apw_visitor_forget_mail_code(request->visitor);
    if (result == APW_MAIL_REFUSED) /* counted: the relay must not be asked about many addresses */
        return APW_TEXT_MAIL_REFUSED;
    apw_tries_give_back(request, APW_TRIES_MAIL);
    return APW_TEXT_MAIL_NOT_SENT;
}

bool apw_factor_mail_has_code(const struct apw_request *request, const char *address)
{
    const struct apw_mail_code *mail = &request->visitor->mail;

    return mail->tries_left > 0 && strcmp(mail->address, address) == 0 &&
           apw_clock_remaining_ms(mail->until_ms) > 0;
}

enum apw_reason apw_factor_mail_check(const struct apw_request *request,
                                      const struct apw_method *method)
{
    struct apw_mail_code *mail = &request->visitor->mail;
    char code[APW_TOTP_DIGITS + 1];
    bool is_right;

    if (!apw_factor_mail_has_code(request, method->address))
        return APW_REASON_WRONG_SECOND_FACTOR;
    mail->tries_left--;
    is_right = apw_totp_canonicalize_code(apw_request_field(request, APW_FIELD_CODE), code) == 0 &&
               sodium_memcmp(code, mail->code, sizeof code) == 0;
    sodium_memzero(code, sizeof code);
    if (!is_right)
        return APW_REASON_WRONG_SECOND_FACTOR;
    apw_visitor_forget_mail_code(request->visitor);
    return APW_REASON_SECOND_FACTOR;
}

void apw_factor_mail_mask(const char *address, char masked_r[APW_FACTOR_MAIL_MASKED_SIZE])
{
    const char *at = strchr(address, '@');
    int last = at - address > 2 ? 1 : 0;

    snprintf(masked_r, APW_FACTOR_MAIL_MASKED_SIZE, "%c…%.*s%s", address[0], last, at - last, at);
}

void apw_factor_mail_show_contact(struct apw_request *request)
{
    const struct apw_method *pending = &request->visitor->pending;

    apw_page_set(&request->page, "address",
                 pending->kind == APW_METHOD_MAIL ? pending->address : "");
    apw_request_show_step(request, APW_TITLE_CONTACT, "contact.html", 2);
}

bool apw_factor_mail_is_own(const struct apw_portal *portal, const struct apw_user *user,
                            const char *address)
{
    for (size_t i = 0; i < user->mail.count; i++)
        if (strcasecmp(user->mail.value[i].bytes, address) == 0)
            return true;
    return apw_own_domains_have(portal->portal_config->own_domains, address);
}

const struct apw_method *apw_factor_mail_for_link(const struct apw_portal *portal,
                                                  const struct apw_account *account)
{
    const struct apw_method *found = NULL;

    for (size_t i = 0; i < account->factors.count; i++) {
        const struct apw_factor *factor = &account->factors.factor[i];

        if (factor->method.kind == APW_METHOD_MAIL && factor->is_allowed &&
            !apw_factor_mail_is_own(portal, account->user, factor->method.address) &&
            (found == NULL || apw_factors_last_use(&factor->method) >= apw_factors_last_use(found)))
            found = &factor->method;
    }
    return found;
}

static enum apw_text judge_address(const struct apw_request *request, const char *address)
{
    enum apw_text text = apw_request_check_field(request, APW_FIELD_ADDRESS);

    if (text != APW_TEXT_NONE)
        return text;
    return apw_factor_mail_is_own(request->portal, request->account.user, address)
               ? APW_TEXT_OWN_ADDRESS
               : APW_TEXT_NONE;
}

void apw_factor_mail_do_contact(struct apw_request *request)
{
    const char *address = apw_request_field(request, APW_FIELD_ADDRESS);
    struct apw_visitor *visitor = request->visitor;
    struct apw_method *pending = &visitor->pending;
    enum apw_text text = judge_address(request, address);
    bool is_repeated = visitor->has_pending && strcmp(pending->address, address) == 0;

    if (!is_repeated) {
        apw_visitor_forget_pending(visitor);
        apw_visitor_forget_mail_code(visitor);
    }
    pending->kind = APW_METHOD_MAIL; /* the form shows even a bad address again */
    snprintf(pending->address, sizeof pending->address, "%s", address);
    if (text == APW_TEXT_NONE)
        text = apw_factor_mail_send(request, pending->address, "mail-contact-code.txt");
    visitor->has_pending = apw_factor_mail_has_code(request, pending->address);
    if (text == APW_TEXT_BAD_ADDRESS || text == APW_TEXT_OWN_ADDRESS ||
        text == APW_TEXT_MAIL_REFUSED)
        apw_request_go_complaining(request, "contact", text);
    else if (text != APW_TEXT_NONE)
        apw_request_go_saying(request, visitor->has_pending ? "contact-code" : "contact", text,
                              false);
    else
        apw_request_go_saying(request, "contact-code",
                              is_repeated ? APW_TEXT_CODE_SENT : APW_TEXT_NONE, true);
}

void apw_factor_mail_show_code(struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;

    if (!visitor->has_pending || visitor->pending.kind != APW_METHOD_MAIL) {
        apw_request_go(request, "contact");
        return;
    }
    apw_page_set(&request->page, "address", visitor->pending.address);
    apw_request_show_step(request, APW_TITLE_CONTACT_CODE, "contact-code.html", 2);
}
