/* SPDX-License-Identifier: BSD-2-Clause */
/* The second factor at sign-in: wrong tries, waiting and codes by mail, without a directory. */
#include "challenge.h"
#include "passkey.h"
#include "tries.h"
#include "visit.h"
#include <liboath/oath.h>

#define HOME  "192.0.2.1"
#define WRONG "x" /* whatever the code is, this is not it */

static struct apw_factor *enrolled;

/* A user with a second factor signs in with the account password. */
static struct apw_visitor *sign_in(enum apw_method_kind kind)
{
    struct apw_visitor *visitor = visit_begin();

    enrolled = visit_add_factor(kind, "1f2e3d4c");
    return visitor;
}

/* Sends the form with that code from there; returns the message. */
static enum apw_text try_code(const char *code, const char *client)
{
    visit_next();
    visit_type("code", code);
    snprintf(exchange.client, sizeof exchange.client, "%s", client);
    apw_challenge_verify(&request);
    assert_int_equal(exchange.status, 303);
    assert_string_equal(exchange.location, "/root/");
    return request.session->flash;
}

/* Wrong tries from different networks. */
static void try_from_everywhere(int count)
{
    char client[32];

    for (int i = 0; i < count; i++) {
        snprintf(client, sizeof client, "198.51.100.%d", i);
        assert_int_equal(try_code(WRONG, client), APW_TEXT_WRONG_CODE);
    }
}

static void send_code(struct apw_visitor *visitor, const char *code, int64_t seconds)
{
    strcpy(visitor->mail.code, code);
    visitor->mail.tries_left = 5;
    visitor->mail.until_ms = now_ms + seconds * 1000;
}

/* ---- waiting ---- */

static void test_network_waits(void **state)
{
    (void)state;
    sign_in(APW_METHOD_APP);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code(WRONG, HOME), APW_TEXT_WRONG_CODE);
    assert_logged("verdict=refused reason=wrong-second-factor user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(try_code(WRONG, HOME), APW_TEXT_WAIT);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_int_equal(try_code(WRONG, "192.0.2.2"), APW_TEXT_WRONG_CODE);
    visit_end();
}

static void test_ipv6_network(void **state)
{
    char client[64];

    (void)state;
    sign_in(APW_METHOD_APP);
    for (int i = 0; i < 5; i++) {
        snprintf(client, sizeof client, "2001:db8:0:1:%x::%x", i, i);
        assert_int_equal(try_code(WRONG, client), APW_TEXT_WRONG_CODE);
    }
    assert_int_equal(try_code(WRONG, "2001:db8:0:1:ffff::1"), APW_TEXT_WAIT);
    assert_int_equal(try_code(WRONG, "2001:db8:0:2::1"), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(WRONG, "::ffff:" HOME), APW_TEXT_WRONG_CODE);
    visit_end();
}

/* Clients without an address are one network. */
static void test_unknown_network(void **state)
{
    (void)state;
    sign_in(APW_METHOD_APP);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code(WRONG, ""), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(WRONG, ""), APW_TEXT_WAIT);
    visit_end();
}

/* ---- what the entry says ---- */

static void test_fifty_a_day(void **state)
{
    (void)state;
    sign_in(APW_METHOD_APP);
    kept.told = kept.day; /* the owner knows already */
    try_from_everywhere(50);
    assert_int_equal(kept.count, 50);
    assert_int_equal(try_code(WRONG, HOME), APW_TEXT_WAIT_A_DAY);
    assert_false(request.session->is_flash_good);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(kept.count, 50);
    kept.count = 0; /* tomorrow */
    assert_int_equal(try_code(WRONG, HOME), APW_TEXT_WRONG_CODE);
    visit_end();
}

static const struct storing_case {
    const char *name;
    enum apw_manage_result result;
    unsigned status;
    enum apw_text text;
} storings[] = {
    {"a code is not looked at if it cannot be counted", APW_MANAGE_UNAVAILABLE, 503, APW_TEXT_NONE},
    {"nor if the page may not", APW_MANAGE_NOT_PERMITTED, 503, APW_TEXT_NONE},
    {"nor while too many are counted at once", APW_MANAGE_CONFLICT, 303, APW_TEXT_WAIT_A_DAY},
};

static void test_not_stored(void **state)
{
    const struct storing_case *row = *state;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    stored = row->result;
    send_code(visitor, "123456", 600);
    visit_type("code", "123456");
    apw_challenge_verify(&request);
    assert_int_equal(exchange.status, row->status);
    assert_int_equal(request.session->flash, row->text);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_string_equal(visitor->mail.code, "123456");
    visit_end();
}

/* ---- codes by mail ---- */

static void test_right_code(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    send_code(visitor, "123456", 600);
    for (int i = 0; i < 4; i++)
        assert_int_equal(try_code("123457", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(" 123 456 ", HOME), APW_TEXT_NONE);
    assert_int_equal(request.session->level, APW_RIGHTS_FULL);
    assert_string_not_equal(exchange.new_cookie, "");
    assert_string_not_equal(exchange.new_cookie, exchange.cookie);
    assert_ptr_equal(removed_factor, enrolled);
    assert_int_equal(added_factor.used, now_s);
    assert_true(unit_is_zero(&visitor->mail, sizeof visitor->mail));
    assert_int_equal(kept.count, 4); /* the right one does not count */
    assert_logged("verdict=accepted reason=second-factor user=\"alice\"");
    request.session->level =
        APW_RIGHTS_PASSWORD; /* as in another session: wrong codes are forgotten */
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code("123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

static void test_another_address(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    send_code(visitor, "123456", 600);
    strcpy(visitor->mail.address, "thief@elsewhere.example");
    strcpy(enrolled->method.address, "alice@elsewhere.example");
    assert_int_equal(try_code("123456", HOME), APW_TEXT_WRONG_MAIL_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

static void test_five_tries(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    send_code(visitor, "123456", 600);
    try_from_everywhere(5);
    assert_int_equal(try_code("123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

static void test_late_code(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    send_code(visitor, "123456", 0);
    assert_int_equal(try_code("123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

static void test_no_code(void **state)
{
    static const char *const typed[] = {"", "000000", "      ", "123456"};

    (void)state;
    sign_in(APW_METHOD_MAIL);
    for (size_t i = 0; i < UNIT_COUNT(typed); i++)
        assert_int_equal(try_code(typed[i], HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

/* ---- after a right code ---- */

static void test_replayed(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    send_code(visitor, "123456", 600);
    changed = APW_MANAGE_CONFLICT; /* the same code in another session was faster */
    assert_int_equal(try_code("123456", HOME), APW_TEXT_WRONG_CODE);
    assert_logged("verdict=refused reason=replayed-second-factor user=\"alice\"");
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    send_code(visitor, "123456", 600);
    changed = APW_MANAGE_UNAVAILABLE;
    visit_next();
    visit_type("code", "123456");
    apw_challenge_verify(&request);
    assert_int_equal(exchange.status, 503);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    visit_end();
}

/* The page tells the person what to do next, and the owner gets mail. */
static void test_recovery(void **state)
{
    struct apw_recovery_codes codes;

    (void)state;
    sign_in(APW_METHOD_RECOVERY);
    apw_recovery_make(&enrolled->method, &codes);
    assert_int_equal(try_code("0000-0000-0000", HOME), APW_TEXT_WRONG_RECOVERY_CODE);
    assert_int_equal(mails, 0);
    assert_int_equal(try_code(codes.shown[0], HOME), APW_TEXT_RECOVERED);
    assert_true(request.session->is_flash_good);
    assert_int_equal(request.session->level, APW_RIGHTS_FULL);
    assert_int_equal(apw_recovery_left(&added_factor), APW_METHOD_CODES - 1);
    assert_int_equal(kept.count, 1);
    assert_int_equal(mails, 1);
    assert_contains(mailed, "9 of 10");
    visit_end();
}

/* A right code ends the wait for the next mail. */
static void test_mail_is_forgotten(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    snprintf(exchange.client, sizeof exchange.client, HOME);
    while (apw_tries_take(&request, APW_TRIES_MAIL))
        ;
    send_code(visitor, "123456", 600);
    assert_int_equal(try_code("123456", HOME), APW_TEXT_NONE);
    assert_true(apw_tries_take(&request, APW_TRIES_MAIL));
    visit_end();
}

/* Nobody guesses a signature, so a wrong one is not counted, and nobody gets mail. */
static void test_passkey(void **state)
{
    char credential[APW_PASSKEY_CREDENTIAL_SIZE];

    (void)state;
    sign_in(APW_METHOD_PASSKEY);
    enrolled->method.credential_length = 4;
    apw_passkey_credential(&enrolled->method, credential);
    kept.count = 40;
    for (int i = 0; i < 2; i++) {
        visit_next();
        visit_type("credential", i == 0 ? credential : "another");
        apw_challenge_verify(&request);
        assert_redirected("", i == 0 ? APW_TEXT_WRONG_PASSKEY : APW_TEXT_NONE, false);
    }
    assert_int_equal(kept.count, 40);
    assert_int_equal(mails, 0);
    assert_logged("reason=wrong-second-factor");
    visit_end();
}

/* After too many tries in a known browser, the owner gets mail at once. */
static void test_known_browser(void **state)
{
    (void)state;
    for (int is_known = 0; is_known <= 1; is_known++) {
        sign_in(APW_METHOD_APP);
        snprintf(exchange.client, sizeof exchange.client, HOME);
        if (is_known)
            visit_know_browser();
        while (apw_tries_take(&request, APW_TRIES_FACTOR))
            ;
        assert_int_equal(mails, 0);
        assert_int_equal(try_code(WRONG, HOME), APW_TEXT_WAIT);
        assert_int_equal(mails, is_known);
        visit_end();
    }
}

/* ---- asking for a code, and for another second step ---- */

static void test_resend(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    strcpy(enrolled->method.address, "alice@elsewhere.example");
    snprintf(exchange.client, sizeof exchange.client, HOME);
    apw_challenge_resend(&request);
    assert_redirected("", APW_TEXT_CODE_SENT, true);
    assert_string_equal(mailed_to, "alice@elsewhere.example");
    assert_int_equal(strlen(visitor->mail.code), 6);
    mailing = APW_MAIL_NOT_SENT;
    visit_next();
    apw_challenge_resend(&request);
    assert_redirected("", APW_TEXT_MAIL_NOT_SENT, false);
    assert_int_equal(mails, 2);
    mailing = APW_MAIL_SENT;
    visit_next();
    request.session->level = APW_RIGHTS_FULL;
    apw_challenge_resend(&request);
    assert_redirected("", APW_TEXT_NONE, false);
    request.session->level = APW_RIGHTS_PASSWORD;
    enrolled->method.kind = APW_METHOD_APP;
    visit_next();
    apw_challenge_resend(&request);
    assert_redirected("", APW_TEXT_NONE, false);
    request.account.factors.count = 0;
    visit_next();
    apw_challenge_resend(&request);
    assert_redirected("", APW_TEXT_NONE, false);
    assert_int_equal(mails, 2);
    visit_end();
}

/* A network that asks too often waits. If many networks do, the owner gets mail. */
static void test_too_many_codes(void **state)
{
    (void)state;
    sign_in(APW_METHOD_MAIL);
    strcpy(enrolled->method.address, "alice@elsewhere.example");
    for (unsigned i = 1; i <= 13; i++) {
        visit_next();
        snprintf(exchange.client, sizeof exchange.client, "198.51.100.%u", i);
        apw_challenge_resend(&request);
        assert_redirected("", i <= 12 ? APW_TEXT_CODE_SENT : APW_TEXT_WAIT_A_DAY, i <= 12);
    }
    assert_int_equal(mails, 13);
    assert_contains(mailed, "Somebody else may know your password");
    visit_end();

    sign_in(APW_METHOD_MAIL);
    strcpy(enrolled->method.address, "alice@elsewhere.example");
    snprintf(exchange.client, sizeof exchange.client, HOME);
    for (unsigned i = 1; i <= 4; i++) {
        visit_next();
        apw_challenge_resend(&request);
        assert_redirected("", i <= 3 ? APW_TEXT_CODE_SENT : APW_TEXT_WAIT_MAIL, i <= 3);
    }
    assert_int_equal(mails, 3);
    visit_end();
}

/* The person chooses another second step. If it is mail, the page sends a code at once. */
static void test_use(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_APP);
    struct apw_factor *mail = visit_add_factor(APW_METHOD_MAIL, "00000002");
    static const struct {
        const char *id;
        bool has_full_rights, is_allowed, has_mfa, is_chosen, is_sent;
    } rows[] = {
        {"00000002", false, true, true, true, true},
        {"00000002", true, true, true, false, false},
        {"00000002", false, false, true, false, false},
        {"00000002", false, true, false, true, false},
        {"00000009", false, true, true, false, false},
        {"1f2e3d4c", false, true, true, true, false},
    };

    (void)state;
    strcpy(mail->method.address, "alice@elsewhere.example");
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        mails = 0;
        visitor->asked[0] = '\0';
        request.session->level = rows[i].has_full_rights ? APW_RIGHTS_FULL : APW_RIGHTS_PASSWORD;
        mail->is_allowed = rows[i].is_allowed;
        visit_next();
        request.account.has_mfa = rows[i].has_mfa;
        request.session->is_flash_good = request.session->is_flash_at_field = true;
        visit_type("id", rows[i].id);
        apw_challenge_use(&request);
        assert_redirected("", APW_TEXT_NONE, false);
        assert_string_equal(visitor->asked, rows[i].is_chosen ? rows[i].id : "");
        assert_int_equal(mails, rows[i].is_sent);
        if (rows[i].is_sent)
            assert_false(request.session->is_flash_good || request.session->is_flash_at_field);
    }
    visit_end();
}

/* ---- the page ---- */

static void show(void)
{
    visit_next();
    apw_challenge_show(&request);
}

static bool shows(const char *part)
{
    return strstr(exchange.body.bytes, part) != NULL;
}

static void test_forms(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    strcpy(enrolled->method.address, "alice@elsewhere.example");
    show();
    assert_shown(200, "There’s no code to enter right now. We send it to a…e@elsewhere.example.");
    send_code(visitor, "123456", 600);
    strcpy(visitor->mail.address, enrolled->method.address);
    show();
    assert_shown(200, "We’ve sent a six-digit code to a…e@elsewhere.example.");
    enrolled->method = (struct apw_method){.kind = APW_METHOD_APP};
    show();
    assert_shown(200, "id=\"code\"");
    enrolled->method = (struct apw_method){.kind = APW_METHOD_RECOVERY};
    show();
    assert_shown(200, "id=\"code\"");
    enrolled->method = (struct apw_method){.kind = APW_METHOD_PASSKEY, .credential_length = 4};
    show();
    assert_shown(200, "AAAAAA"); /* the credential's id */
    enrolled->is_allowed = false;
    show();
    assert_shown(200, "This site no longer accepts the second step");
    visit_end();
}

/* The page offers the other second steps, except those that let nobody in. Next to a passkey, the
 * list is open. */
static void test_others(void **state)
{
    struct apw_factor *codes;

    (void)state;
    sign_in(APW_METHOD_PASSKEY);
    enrolled->method.used = now_s; /* it is asked for first */
    show();
    assert_false(shows("id=\"others\""));
    codes = visit_add_factor(APW_METHOD_RECOVERY, "00000002");
    show();
    assert_false(shows("id=\"others\"")); /* they are used up */
    codes->method.code_hash[0][0] = 1;
    show();
    assert_true(shows("id=\"others\" open"));
    assert_true(shows("value=\"00000002\""));
    codes->is_allowed = false;
    show();
    assert_false(shows("id=\"others\""));
    visit_add_factor(APW_METHOD_APP, "00000003");
    visit_add_factor(APW_METHOD_APP, "00000004");
    show();
    assert_true(shows("value=\"00000003\"") && shows("value=\"00000004\""));
    assert_null(strstr(strstr(exchange.body.bytes, "id=\"others\"") + 1, "id=\"others\""));
    strcpy(request.visitor->asked, "00000003");
    show();
    assert_true(shows("id=\"others\" >"));
    assert_true(shows("value=\"1f2e3d4c\"") && shows("value=\"00000004\""));
    assert_false(shows("value=\"00000003\""));
    visit_end();
}

/* ---- without memory ---- */

int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code);

/* No test here has a code of an app that is right. */
int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code)
{
    (void)secret, (void)secret_length, (void)step, (void)digits, (void)with_checksum;
    (void)truncation, (void)code;
    return OATH_MALLOC_ERROR;
}

static void test_no_memory(void **state)
{
    (void)state;
    sign_in(APW_METHOD_APP);
    visit_type("code", "123456");
    apw_challenge_verify(&request);
    assert_int_not_equal(exchange.status, 303);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_logged("verdict=unavailable reason=internal-error user=\"alice\"");
    visit_end();
}

/* ---- without a second factor there is nothing to verify ---- */

static void test_nothing_to_verify(void **state)
{
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL);

    (void)state;
    request.account.factors.count = 0;
    send_code(visitor, "123456", 600);
    assert_int_equal(try_code("123456", HOME), APW_TEXT_NONE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_string_equal(visitor->mail.code, "123456");
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("after five wrong codes a network waits", test_network_waits);
    UNIT_TEST("an IPv6 network is a /64", test_ipv6_network);
    UNIT_TEST("clients without an address are one network", test_unknown_network);
    UNIT_TEST("fifty codes a day are looked at", test_fifty_a_day);
    UNIT_ROWS(storings, test_not_stored);
    UNIT_TEST("the right code by mail gives all rights and a new cookie", test_right_code);
    UNIT_TEST("a code that went to another address is wrong", test_another_address);
    UNIT_TEST("a code by mail has five tries", test_five_tries);
    UNIT_TEST("a code that another session has used meanwhile lets nobody in", test_replayed);
    UNIT_TEST("a recovery code lets in once, and the owner is told", test_recovery);
    UNIT_TEST("a right code by mail ends the wait for the next one", test_mail_is_forgotten);
    UNIT_TEST("a wrong signature is no guess", test_passkey);
    UNIT_TEST("the owner learns at once of too many tries in a known browser", test_known_browser);
    UNIT_TEST("another code goes to the address of the second step", test_resend);
    UNIT_TEST("no more codes are sent than the limits allow", test_too_many_codes);
    UNIT_TEST("another second step is used", test_use);
    UNIT_TEST("each kind has its form", test_forms);
    UNIT_TEST("the page offers other second steps that are of use", test_others);
    UNIT_TEST("a code that could not be checked is not a wrong one", test_no_memory);
    UNIT_TEST("a code by mail comes too late", test_late_code);
    UNIT_TEST("without a code nothing is right", test_no_code);
    UNIT_TEST("without a second factor nothing is right", test_nothing_to_verify);
    return unit_run();
}
