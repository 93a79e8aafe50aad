#include "clock.h"
#include "qr.h"
#include "request.h"
#include "totp.h"
#include "web/browser.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CODE_MINUTES 10
#define CODE_TRIES   5

#define FACTOR_TRIES "second factor"
#define MAIL_TRIES   "code by mail"

/* Wrong second factors, from one network: five cost nothing, then half a minute, growing to a
 * quarter of an hour. From everywhere together: enough for whoever mistypes, and never so long that
 * somebody who knows the password keeps the person out for good. */
static const struct apw_patience network_patience = {.free = 5, .base_s = 30, .most_s = 900};
static const struct apw_patience account_patience = {.free = 30, .base_s = 5, .most_s = 60};
static const struct apw_patience mail_patience = {.free = 3, .base_s = 60, .most_s = 900};

/* ---- waiting ---- */

static void name_network(const struct apw_step *step, char name_r[512])
{
    char network[APW_ADDRESS_TEXT_SIZE + 4];

    apw_client_network(step->exchange->client, network);
    snprintf(name_r, 512, "%s %s", network, step->account.user->unique_id);
}

/* The browser's mark where this person has passed the second step in it before, else NULL. */
static const char *known_browser(const struct apw_step *step)
{
    const char *mark = step->exchange->browser;

    return apw_browser_is_known(step->portal->conf->key, step->visit->login, mark) ? mark : NULL;
}

/* Pays for a try of the second factor; false where there is waiting to do. */
static bool take_try(const struct apw_step *step)
{
    struct apw_throttle *throttle = step->portal->factor_throttle;
    const char *browser = known_browser(step);
    int64_t now = apw_clock_monotonic_ms();
    char network[512];

    if (browser != NULL)
        return apw_throttle_take(throttle, FACTOR_TRIES, browser, &network_patience, now);
    name_network(step, network);
    if (!apw_throttle_take(throttle, FACTOR_TRIES, network, &network_patience, now))
        return false;
    if (apw_throttle_take(throttle, FACTOR_TRIES, step->account.user->unique_id, &account_patience,
                          now))
        return true;
    /* So that many networks do not fill the table while the account waits, and that none pays for
     * what others have brought upon the account. */
    apw_throttle_give_back(throttle, FACTOR_TRIES, network);
    return false;
}

/* After a right one. What others tried from elsewhere is not forgotten. */
static void forget_tries(const struct apw_step *step)
{
    struct apw_throttle *throttle = step->portal->factor_throttle;
    const char *browser = known_browser(step);
    char network[512];

    if (browser != NULL) {
        apw_throttle_forget(throttle, FACTOR_TRIES, browser);
        return;
    }
    name_network(step, network);
    apw_throttle_forget(throttle, FACTOR_TRIES, network);
    apw_throttle_give_back(throttle, FACTOR_TRIES, step->account.user->unique_id);
}

/* ---- codes by mail ---- */

static void forget_mail_code(struct apw_visit *visit)
{
    sodium_memzero(&visit->mail, sizeof visit->mail);
}

/* Makes a code and sends it. What is to be said of it: NONE where all went well. */
static enum apw_text send_code(struct apw_step *step, const char *address)
{
    struct apw_mail_code *mail = &step->visit->mail;
    struct apw_throttle *throttle = step->portal->factor_throttle;
    const char *browser = known_browser(step);
    const char *payer = browser != NULL ? browser : step->account.user->unique_id;
    char minutes[8];
    int status;

    if (!apw_throttle_take(throttle, MAIL_TRIES, payer, &mail_patience, apw_clock_monotonic_ms())) {
        apw_step_log(step, APW_REFUSED, APW_REASON_TOO_MANY_TRIES, "send-code", NULL, NULL);
        return APW_TEXT_WAIT;
    }
    snprintf(mail->code, sizeof mail->code, "%06u", (unsigned)randombytes_uniform(1000000));
    snprintf(mail->address, sizeof mail->address, "%s", address);
    mail->tries_left = CODE_TRIES;
    mail->until_ms = apw_clock_monotonic_ms() + CODE_MINUTES * 60 * 1000;
    snprintf(minutes, sizeof minutes, "%d", CODE_MINUTES);
    apw_page_set(&step->page, "code", mail->code);
    apw_page_set(&step->page, "minutes", minutes);
    status = apw_step_mail(step, address, "mail-code.txt");
    apw_page_set(&step->page, "code", NULL);
    apw_page_set(&step->page, "minutes", NULL);
    if (status == 0)
        return APW_TEXT_NONE;
    forget_mail_code(step->visit);
    apw_throttle_give_back(throttle, MAIL_TRIES, payer);
    return APW_TEXT_MAIL_NOT_SENT;
}

/* Whether it is the code that was sent to that very address; a right one is used up. */
static bool is_mail_code(struct apw_visit *visit, const char *address, const char *typed)
{
    struct apw_mail_code *mail = &visit->mail;
    char code[APW_TOTP_DIGITS + 1];
    bool is_right;

    if (mail->code[0] == '\0' || strcmp(mail->address, address) != 0 ||
        apw_clock_remaining_ms(mail->until_ms) == 0 || mail->tries_left == 0)
        return false;
    mail->tries_left--;
    is_right = apw_code_canonicalise(typed, code) == 0 &&
               sodium_memcmp(code, mail->code, sizeof code) == 0;
    sodium_memzero(code, sizeof code);
    if (is_right)
        forget_mail_code(visit);
    return is_right;
}

/* "a…z@example.net": enough to know one's own address by. */
static void mask_address(const char *address, char masked_r[APW_METHOD_ADDRESS_SIZE + 8])
{
    const char *at = strchr(address, '@');
    int last = at - address > 2 ? 1 : 0;

    snprintf(masked_r, APW_METHOD_ADDRESS_SIZE + 8, "%c…%.*s%s", address[0], last, at - last, at);
}

/* ---- the second factor of who has one ---- */

void apw_send_challenge(struct apw_step *step)
{
    const struct apw_account *account = &step->account;

    if (!account->has_mfa || !account->has_method || account->method.kind != APW_METHOD_MAIL)
        return;
    step->visit->flash = send_code(step, account->method.address);
    step->visit->is_flash_good = false;
}

void apw_show_challenge(struct apw_step *step)
{
    char masked[APW_METHOD_ADDRESS_SIZE + 8];

    switch (step->account.method.kind) {
    case APW_METHOD_APP:
        apw_page_show(&step->page, APW_TITLE_CHALLENGE, "challenge-app.html");
        return;
    case APW_METHOD_MAIL:
        break;
    }
    mask_address(step->account.method.address, masked);
    apw_page_set(&step->page, "address", masked);
    apw_page_show(&step->page, APW_TITLE_CHALLENGE, "challenge-mail.html");
}

void apw_do_resend(struct apw_step *step)
{
    enum apw_text text;

    if (step->visit->rights == APW_RIGHTS_FULL || !step->account.has_method ||
        step->account.method.kind != APW_METHOD_MAIL) {
        apw_step_go(step, "");
        return;
    }
    text = send_code(step, step->account.method.address);
    apw_step_go_saying(step, "", text == APW_TEXT_NONE ? APW_TEXT_CODE_SENT : text,
                       text == APW_TEXT_NONE);
}

/* The one place where somebody who signs in here gets all rights. */
static void raise_rights(struct apw_step *step, const struct apw_method *method)
{
    struct apw_visit *visit = step->visit;

    visit->rights = APW_RIGHTS_FULL;
    visit->method = *method;
    visit->is_choosing = false;
    visit->has_pending = false;
    sodium_memzero(&visit->pending, sizeof visit->pending);
    forget_mail_code(visit);
    apw_visit_renew(step->portal->visits, visit, step->exchange->new_cookie);
    if (known_browser(step) == NULL)
        apw_browser_mark(step->portal->conf->key, visit->login, step->exchange->new_browser);
}

/* Holds what was typed against the method; *step_r is the used step of an authenticator app. */
static enum apw_reason check_code(struct apw_step *step, const struct apw_method *method,
                                  uint64_t *step_r)
{
    const char *typed = step->exchange->form.code;

    switch (method->kind) {
    case APW_METHOD_MAIL:
        return is_mail_code(step->visit, method->address, typed) ? APW_REASON_SECOND_FACTOR
                                                                 : APW_REASON_WRONG_SECOND_FACTOR;
    case APW_METHOD_APP:
        break;
    }
    switch (apw_totp_check(method, typed, (int64_t)time(NULL), step_r)) {
    case APW_TOTP_RIGHT:
        return APW_REASON_SECOND_FACTOR;
    case APW_TOTP_REPLAYED:
        return APW_REASON_REPLAYED_SECOND_FACTOR;
    case APW_TOTP_WRONG:
        return APW_REASON_WRONG_SECOND_FACTOR;
    case APW_TOTP_NO_MEMORY:
        break;
    }
    return APW_REASON_INTERNAL_ERROR;
}

/* Says and logs that a code did not do; the way back is `path`. One that could not be looked at is
 * no wrong one. */
static void refuse_code(struct apw_step *step, enum apw_reason reason, const char *action,
                        const char *path)
{
    bool is_wait = reason == APW_REASON_TOO_MANY_TRIES;

    if (reason == APW_REASON_INTERNAL_ERROR) {
        apw_step_log(step, APW_UNAVAILABLE, reason, action, NULL, NULL);
        apw_page_fail(&step->page, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_step_log(step, APW_REFUSED, reason, action, NULL, NULL);
    apw_step_go_saying(step, path, is_wait ? APW_TEXT_WAIT : APW_TEXT_WRONG_CODE, false);
}

static void pass_challenge(struct apw_step *step, uint64_t used)
{
    struct apw_method method = step->account.method;
    enum apw_manage_result result = APW_MANAGE_DONE;
    struct apw_error error = {""};

    if (method.kind == APW_METHOD_APP)
        result = apw_account_use_counter(step->portal, &step->account, used, &error);
    if (result == APW_MANAGE_DONE) {
        forget_tries(step);
        raise_rights(step, &method);
        apw_step_log(step, APW_ACCEPTED, APW_REASON_SECOND_FACTOR, "second-factor", NULL, NULL);
        apw_step_go(step, "");
    } else if (result == APW_MANAGE_CONFLICT) {
        refuse_code(step, APW_REASON_REPLAYED_SECOND_FACTOR, "second-factor", "");
    } else {
        apw_step_give_up(step, "second-factor", &error);
    }
    sodium_memzero(&method, sizeof method);
}

static void verify_challenge(struct apw_step *step)
{
    uint64_t used = 0;
    enum apw_reason reason;

    if (!take_try(step)) {
        refuse_code(step, APW_REASON_TOO_MANY_TRIES, "second-factor", "");
        return;
    }
    reason = check_code(step, &step->account.method, &used);
    if (reason == APW_REASON_SECOND_FACTOR)
        pass_challenge(step, used);
    else
        refuse_code(step, reason, "second-factor", "");
}

/* ---- enrolment ---- */

void apw_show_start(struct apw_step *step)
{
    char date[APW_MOMENT_SIZE];

    apw_page_open(&step->page, 200, APW_TITLE_START);
    if (step->account.is_announced) {
        apw_moment_format(step->account.user->enforce_from, false, date);
        apw_page_set(&step->page, "date", date);
        apw_page_add(&step->page, "announced.html");
    }
    apw_page_add(&step->page, "start.html");
    apw_page_end(&step->page);
}

void apw_do_start(struct apw_step *step)
{
    apw_step_go(step, apw_step_may_choose(step) ? "choose" : "");
}

void apw_show_enrolment_code(struct apw_step *step)
{
    apw_page_show(&step->page, APW_TITLE_ENROLMENT_CODE, "enrolment-code.html");
}

void apw_do_enrolment_code(struct apw_step *step)
{
    struct apw_error error = {""};
    char *value = NULL;

    if (step->account.has_method || step->visit->rights == APW_RIGHTS_FULL) {
        apw_step_go(step, "");
        return;
    }
    if (!take_try(step)) {
        refuse_code(step, APW_REASON_TOO_MANY_TRIES, "enrolment-code", "");
        return;
    }
    switch (apw_account_check_code(&step->account, step->exchange->form.code, &value, &error)) {
    case APW_ACCEPTED:
        forget_tries(step);
        apw_secret_free(&step->visit->enrolment_code_value);
        step->visit->enrolment_code_value = value;
        apw_visit_renew(step->portal->visits, step->visit, step->exchange->new_cookie);
        apw_step_log(step, APW_ACCEPTED, APW_REASON_ENROLMENT_CODE, "enrolment-code", NULL, NULL);
        apw_step_go(step, "");
        return;
    case APW_REFUSED:
        apw_step_log(step, APW_REFUSED, APW_REASON_WRONG_ENROLMENT_CODE, "enrolment-code", NULL,
                     NULL);
        apw_step_go_saying(step, "", APW_TEXT_WRONG_ENROLMENT_CODE, false);
        return;
    case APW_UNAVAILABLE:
        break;
    }
    apw_step_give_up(step, "enrolment-code", &error);
}

void apw_show_choose(struct apw_step *step)
{
    apw_page_show(&step->page, APW_TITLE_CHOOSE, "choose.html");
}

void apw_do_choose(struct apw_step *step)
{
    const char *method = step->exchange->form.method;
    struct apw_visit *visit = step->visit;

    sodium_memzero(&visit->pending, sizeof visit->pending);
    forget_mail_code(visit);
    visit->has_pending = strcmp(method, "app") == 0;
    if (visit->has_pending) {
        visit->pending.kind = APW_METHOD_APP;
        randombytes_buf(visit->pending.secret, sizeof visit->pending.secret);
        apw_step_go(step, "app");
    } else if (strcmp(method, "mail") == 0) {
        apw_step_go(step, "contact");
    } else {
        apw_step_go_saying(step, "choose", APW_TEXT_CHOOSE_ONE, false);
    }
}

void apw_show_app(struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;
    struct apw_buffer path = {NULL, 0, 0, false};
    char uri[APW_TOTP_URI_SIZE] = "", secret[APW_TOTP_SECRET_TEXT_SIZE] = "", size_text[16];
    int size = 0;

    if (!visit->has_pending || visit->pending.kind != APW_METHOD_APP) {
        apw_step_go(step, "choose");
        return;
    }
    if (apw_totp_uri(&visit->pending, step->portal->conf->site, visit->login, uri) == 0 &&
        apw_totp_secret_text(&visit->pending, secret) == 0 && apw_qr_path(uri, &path, &size) == 0) {
        snprintf(size_text, sizeof size_text, "%d", size);
        apw_page_set(&step->page, "size", size_text);
        apw_page_set(&step->page, "path", path.bytes);
        apw_page_set(&step->page, "secret", secret);
        apw_page_set(&step->page, "uri", uri);
        apw_page_show(&step->page, APW_TITLE_APP, "app.html");
    } else {
        apw_page_fail(&step->page, 503, APW_TEXT_UNAVAILABLE);
    }
    sodium_memzero(uri, sizeof uri);
    sodium_memzero(secret, sizeof secret);
    apw_buffer_free(&path);
}

void apw_show_contact(struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;
    bool is_known = visit->pending.kind == APW_METHOD_MAIL;

    apw_page_set(&step->page, "address", is_known ? visit->pending.address : "");
    apw_page_show(&step->page, APW_TITLE_CONTACT, "contact.html");
}

/* Why a code is not sent there; NONE where it may be. */
static enum apw_text judge_address(const struct apw_step *step, const char *address)
{
    const struct apw_values *mail = &step->account.user->mail;

    if (!apw_method_address_is_valid(address))
        return APW_TEXT_BAD_ADDRESS;
    for (size_t i = 0; i < mail->count; i++)
        if (strcasecmp(mail->value[i].bytes, address) == 0)
            return APW_TEXT_OWN_ADDRESS;
    return apw_conf_owns_address(step->portal->conf, address) ? APW_TEXT_OWN_ADDRESS
                                                              : APW_TEXT_NONE;
}

void apw_do_contact(struct apw_step *step)
{
    const char *address = step->exchange->form.address;
    struct apw_visit *visit = step->visit;
    enum apw_text text = judge_address(step, address);
    bool is_repeated = visit->has_pending && strcmp(visit->pending.address, address) == 0;

    sodium_memzero(&visit->pending, sizeof visit->pending);
    forget_mail_code(visit);
    visit->pending.kind = APW_METHOD_MAIL; /* shown again, whatever is wrong with it */
    snprintf(visit->pending.address, sizeof visit->pending.address, "%s", address);
    if (text == APW_TEXT_NONE)
        text = send_code(step, visit->pending.address);
    visit->has_pending = text == APW_TEXT_NONE;
    if (text != APW_TEXT_NONE)
        apw_step_go_saying(step, "contact", text, false);
    else
        apw_step_go_saying(step, "contact-code", is_repeated ? APW_TEXT_CODE_SENT : APW_TEXT_NONE,
                           true);
}

void apw_show_contact_code(struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;

    if (!visit->has_pending || visit->pending.kind != APW_METHOD_MAIL) {
        apw_step_go(step, "contact");
        return;
    }
    apw_page_set(&step->page, "address", visit->pending.address);
    apw_page_show(&step->page, APW_TITLE_CONTACT_CODE, "contact-code.html");
}

/* Whether the code by which this person may enrol is still there. */
static bool is_code_there(const struct apw_step *step)
{
    const struct apw_values *values = &step->account.user->method;

    if (step->portal->conf->enrolment == APW_ENROLMENT_OPEN || step->account.has_method)
        return true;
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->value[i].bytes, step->visit->enrolment_code_value) == 0)
            return true;
    return false;
}

static void forget_enrolment(struct apw_visit *visit)
{
    apw_secret_free(&visit->enrolment_code_value);
    visit->has_pending = false;
    sodium_memzero(&visit->pending, sizeof visit->pending);
}

static void enrol(struct apw_step *step, uint64_t used)
{
    struct apw_method method = step->visit->pending;
    bool is_change = step->account.has_method;
    const char *action = is_change ? "change-method" : "enrol";
    struct apw_error error = {""};
    enum apw_manage_result result = APW_MANAGE_CONFLICT;

    method.since = (int64_t)time(NULL);
    method.counter = used;
    if (is_code_there(step))
        result = apw_account_enrol(step->portal, &step->account, &method, &error);
    if (result == APW_MANAGE_DONE) {
        forget_tries(step);
        forget_enrolment(step->visit);
        raise_rights(step, &method);
        apw_step_log(step, APW_ACCEPTED, APW_REASON_DONE, action, NULL, NULL);
        apw_step_notify(step, is_change ? "mail-method.txt" : "mail-enrolled.txt", NULL);
        if (is_change)
            apw_step_go_saying(step, "", APW_TEXT_METHOD_CHANGED, true);
        else
            apw_step_go(step, "verified");
    } else if (result == APW_MANAGE_CONFLICT) {
        forget_enrolment(step->visit);
        apw_step_log(step, APW_REFUSED, APW_REASON_NOT_DONE, action, NULL, &error);
        apw_step_go_saying(step, "", APW_TEXT_ALREADY_ENROLLED, false);
    } else {
        apw_step_give_up(step, action, &error);
    }
    sodium_memzero(&method, sizeof method);
}

static void verify_pending(struct apw_step *step)
{
    const struct apw_method *pending = &step->visit->pending;
    const char *path = pending->kind == APW_METHOD_APP ? "app" : "contact-code";
    uint64_t used = 0;
    enum apw_reason reason;

    if (!take_try(step)) {
        refuse_code(step, APW_REASON_TOO_MANY_TRIES, "enrol", path);
        return;
    }
    reason = check_code(step, pending, &used);
    if (reason == APW_REASON_SECOND_FACTOR)
        enrol(step, used);
    else
        refuse_code(step, reason, "enrol", path);
}

void apw_do_verify(struct apw_step *step)
{
    if (step->visit->has_pending && apw_step_may_choose(step))
        verify_pending(step);
    else if (step->visit->rights != APW_RIGHTS_FULL && step->account.has_method)
        verify_challenge(step);
    else
        apw_step_go(step, "");
}

void apw_do_change_method(struct apw_step *step)
{
    if (step->visit->is_single_sign_on) {
        apw_step_go(step, "");
        return;
    }
    step->visit->is_choosing = true;
    apw_step_go(step, "choose");
}

void apw_show_verified(struct apw_step *step)
{
    apw_page_set(&step->page, "label", apw_text_in(APW_TEXT_FIRST_LABEL, step->exchange->language));
    apw_page_show(&step->page, APW_TITLE_VERIFIED, "verified.html");
}
