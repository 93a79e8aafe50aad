/* SPDX-License-Identifier: BSD-2-Clause */
/* The second factor at sign-in: wrong tries, waiting and codes by mail, without a directory. */
#include "challenge.h"
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
    UNIT_TEST("a code that could not be checked is not a wrong one", test_no_memory);
    UNIT_TEST("a code by mail comes too late", test_late_code);
    UNIT_TEST("without a code nothing is right", test_no_code);
    UNIT_TEST("without a second factor nothing is right", test_nothing_to_verify);
    return unit_run();
}
