/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes by mail: sending and checking them, and choosing the address. */
#include "factor_mail.h"
#include "visit.h"
#include <sodium.h>

#define ADDRESS "alice@example.net"
#define OTHER   "alice@example.com"

static uint32_t next_code;

uint32_t __wrap_randombytes_uniform(const uint32_t upper_bound);

uint32_t __wrap_randombytes_uniform(const uint32_t upper_bound)
{
    assert_int_equal(upper_bound, 1000000);
    return next_code;
}

static struct apw_visitor *begin(void)
{
    next_code = 42;
    portal_config.own_domains = (char *)"example.org";
    return visit_begin();
}

static enum apw_text send_code(void)
{
    return apw_factor_mail_send(&request, ADDRESS, "mail-code.txt");
}

/* ---- sending ---- */

static void test_send(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    assert_int_equal(send_code(), APW_TEXT_NONE);
    assert_string_equal(mailed_to, ADDRESS);
    assert_contains(mailed, "\n    000042\n");
    assert_contains(mailed, "for 10 minutes");
    assert_string_equal(visitor->mail.code, "000042");
    assert_string_equal(visitor->mail.address, ADDRESS);
    assert_int_equal(visitor->mail.until_ms, now_ms + 600000);
    assert_int_equal(visitor->mail.tries_left, 5);
    visit_end();
}

static void test_send_waits(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_code(), APW_TEXT_NONE);
    next_code = 43;
    assert_int_equal(send_code(), APW_TEXT_WAIT_MAIL);
    assert_int_equal(mails, 3);
    assert_string_equal(visitor->mail.code, "000042"); /* stays good */
    assert_int_equal(request.session->flash_minutes, 2);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\"");
    assert_logged("action=send-code");
    visit_end();
}

static const struct failure_case {
    const char *name;
    enum apw_mail_result result;
    enum apw_text text;
    unsigned mails; /* of ten */
} failures[] = {
    {"a mail that could not be sent does not count", APW_MAIL_NOT_SENT, APW_TEXT_MAIL_NOT_SENT, 10},
    {"an address that the relay refuses does", APW_MAIL_REFUSED, APW_TEXT_MAIL_REFUSED, 3},
};

static void test_send_fails(void **state)
{
    const struct failure_case *row = *state;
    struct apw_visitor *visitor = begin();

    mailing = row->result;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(send_code(), i < row->mails ? row->text : APW_TEXT_WAIT_MAIL);
        assert_true(unit_is_zero(&visitor->mail, sizeof visitor->mail));
    }
    assert_int_equal(mails, row->mails);
    visit_end();
}

/* ---- checking ---- */

static enum apw_reason check(const char *address, const char *code)
{
    struct apw_method method = {.kind = APW_METHOD_MAIL};

    strcpy(method.address, address);
    visit_next();
    visit_type("code", code);
    return apw_factor_mail_check(&request, &method);
}

static void test_check(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    assert_int_equal(check("", ""), APW_REASON_WRONG_SECOND_FACTOR);
    send_code();
    assert_int_equal(check(OTHER, "000042"), APW_REASON_WRONG_SECOND_FACTOR);
    assert_int_equal(visitor->mail.tries_left, 5);
    assert_int_equal(check(ADDRESS, "000043"), APW_REASON_WRONG_SECOND_FACTOR);
    assert_int_equal(check(ADDRESS, "42"), APW_REASON_WRONG_SECOND_FACTOR);
    assert_int_equal(check(ADDRESS, ""), APW_REASON_WRONG_SECOND_FACTOR);
    assert_int_equal(visitor->mail.tries_left, 2);
    assert_int_equal(check(ADDRESS, "000-042"), APW_REASON_SECOND_FACTOR);
    assert_true(unit_is_zero(&visitor->mail, sizeof visitor->mail));
    assert_int_equal(check(ADDRESS, "000042"), APW_REASON_WRONG_SECOND_FACTOR);
    visit_end();
}

static void test_five_tries(void **state)
{
    (void)state;
    begin();
    send_code();
    for (int i = 0; i < 5; i++) {
        assert_true(apw_factor_mail_has_code(&request, ADDRESS));
        assert_int_equal(check(ADDRESS, "000043"), APW_REASON_WRONG_SECOND_FACTOR);
    }
    assert_false(apw_factor_mail_has_code(&request, ADDRESS));
    assert_int_equal(check(ADDRESS, "000042"), APW_REASON_WRONG_SECOND_FACTOR);
    visit_end();
}

static void test_ten_minutes(void **state)
{
    (void)state;
    begin();
    send_code();
    now_ms += 599999;
    assert_true(apw_factor_mail_has_code(&request, ADDRESS));
    assert_false(apw_factor_mail_has_code(&request, OTHER));
    now_ms++;
    assert_false(apw_factor_mail_has_code(&request, ADDRESS));
    assert_int_equal(check(ADDRESS, "000042"), APW_REASON_WRONG_SECOND_FACTOR);
    visit_end();
}

/* ---- addresses ---- */

static void test_mask(void **state)
{
    static const char *const rows[][2] = {{"alice@example.net", "a…e@example.net"},
                                          {"bob@example.net", "b…b@example.net"},
                                          {"xy@example.net", "x…@example.net"},
                                          {"z@example.net", "z…@example.net"}};
    char masked[APW_FACTOR_MAIL_MASKED_SIZE];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        apw_factor_mail_mask(rows[i][0], masked);
        assert_string_equal(masked, rows[i][1]);
    }
}

/* The third value is behind the last one. */
static struct apw_value own_values[] = {
    {(char *)"a@mail.example", 14}, {(char *)"b@mail.example", 14}, {(char *)"c@mail.example", 14}};

static void test_is_own(void **state)
{
    static const struct {
        const char *address;
        bool is_own;
    } rows[] = {{"a@mail.example", true},  {"B@Mail.Example", true},    {"c@mail.example", false},
                {"x@example.org", true},   {"x@sub.example.org", true}, {"x@anexample.org", false},
                {"aa@mail.example", false}};

    (void)state;
    begin();
    user.mail = (struct apw_values){.count = 2, .value = own_values};
    for (size_t i = 0; i < UNIT_COUNT(rows); i++)
        assert_int_equal(apw_factor_mail_is_own(&portal, &user, rows[i].address), rows[i].is_own);
    user.mail.count = 0;
    assert_false(apw_factor_mail_is_own(&portal, &user, "a@mail.example"));
    visit_end();
}

static const struct link_case {
    const char *name;
    struct {
        enum apw_method_kind kind;
        bool is_forbidden;
        const char *address;
        int since, used;
    } factors[3];
    int found; /* its number; -1 for none */
} links[] = {
    {"without an alternate address there is none", {{APW_METHOD_APP, false, ADDRESS, 1, 1}}, -1},
    {"an address is found", {{APW_METHOD_MAIL, false, ADDRESS, 1, 0}}, 0},
    {"not one that the site does not allow", {{APW_METHOD_MAIL, true, ADDRESS, 1, 0}}, -1},
    {"nor one of its own", {{APW_METHOD_MAIL, false, "alice@example.org", 1, 0}}, -1},
    {"of two, the one used last",
     {{APW_METHOD_MAIL, false, ADDRESS, 1, 9},
      {APW_METHOD_MAIL, false, OTHER, 3, 5},
      {APW_METHOD_MAIL, false, "alice@example.org", 4, 10}},
     0},
    {"the newer one, if it was not used",
     {{APW_METHOD_APP, false, "", 9, 9},
      {APW_METHOD_MAIL, false, ADDRESS, 1, 0},
      {APW_METHOD_MAIL, false, OTHER, 3, 0}},
     2},
    {"of equally old ones, the last",
     {{APW_METHOD_MAIL, false, ADDRESS, 1, 0}, {APW_METHOD_MAIL, false, OTHER, 1, 0}},
     1},
};

static void test_link(void **state)
{
    const struct link_case *row = *state;
    struct apw_factor *first, *last;

    begin();
    first = request.account.factors.factor;
    for (size_t i = 0; i < UNIT_COUNT(row->factors) && row->factors[i].address != NULL; i++) {
        struct apw_factor *factor = visit_add_factor(row->factors[i].kind, "1f2e3d4c");

        factor->is_allowed = !row->factors[i].is_forbidden;
        strcpy(factor->method.address, row->factors[i].address);
        factor->method.since = row->factors[i].since;
        factor->method.used = row->factors[i].used;
    }
    /* behind the last one */
    last = visit_add_factor(APW_METHOD_MAIL, "1f2e3d4c");
    strcpy(last->method.address, ADDRESS);
    last->method.since = 99;
    request.account.factors.count--;
    assert_ptr_equal(apw_factor_mail_for_link(&portal, &request.account),
                     row->found < 0 ? NULL : &first[row->found].method);
    visit_end();
}

/* ---- choosing the address ---- */

static void choose(const char *address)
{
    visit_next();
    visit_type("address", address);
    apw_factor_mail_do_contact(&request);
}

static void test_contact(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    visitor->has_pending = true;
    visitor->pending = (struct apw_method){.kind = APW_METHOD_APP, .secret = "secret of an app"};
    choose(ADDRESS);
    assert_redirected("contact-code", APW_TEXT_NONE, true);
    assert_string_equal(mailed_to, ADDRESS);
    assert_contains(mailed, "as the alternate e-mail address");
    assert_true(visitor->has_pending);
    assert_int_equal(visitor->pending.kind, APW_METHOD_MAIL);
    assert_string_equal(visitor->pending.address, ADDRESS);
    assert_true(unit_is_zero(visitor->pending.secret, sizeof visitor->pending.secret));
    next_code = 43;
    choose(ADDRESS);
    assert_redirected("contact-code", APW_TEXT_CODE_SENT, true);
    assert_string_equal(visitor->mail.code, "000043");
    choose(OTHER);
    assert_redirected("contact-code", APW_TEXT_NONE, true);
    assert_string_equal(mailed_to, OTHER);
    assert_int_equal(mails, 3);
    /* Now they must wait, and the last code stays good for its address. */
    choose(OTHER);
    assert_redirected("contact-code", APW_TEXT_WAIT_MAIL, false);
    assert_false(request.session->is_flash_at_field);
    assert_true(visitor->has_pending);
    choose(ADDRESS);
    assert_redirected("contact", APW_TEXT_WAIT_MAIL, false);
    assert_false(visitor->has_pending);
    assert_string_equal(visitor->mail.code, "");
    assert_int_equal(mails, 3);
    visit_end();
}

static const struct contact_case {
    const char *name;
    const char *address;
    enum apw_mail_result result;
    enum apw_text text;
    bool is_at_field;
    unsigned mails;
} contacts[] = {
    {"what is no address", "alice", APW_MAIL_SENT, APW_TEXT_BAD_ADDRESS, true, 0},
    {"the mailbox that it would protect", "ALICE@mail.example.org", APW_MAIL_SENT,
     APW_TEXT_OWN_ADDRESS, true, 0},
    {"another mailbox of the site", "bob@example.org", APW_MAIL_SENT, APW_TEXT_OWN_ADDRESS, true,
     0},
    {"an address that the relay refuses", ADDRESS, APW_MAIL_REFUSED, APW_TEXT_MAIL_REFUSED, true,
     1},
    {"a mail that cannot be sent now", ADDRESS, APW_MAIL_NOT_SENT, APW_TEXT_MAIL_NOT_SENT, false,
     1},
};

static void test_contact_fails(void **state)
{
    const struct contact_case *row = *state;
    struct apw_visitor *visitor = begin();

    mailing = row->result;
    for (unsigned i = 1; i <= 2; i++) { /* the form shows it again */
        choose(row->address);
        assert_redirected("contact", row->text, false);
        assert_int_equal(request.session->is_flash_at_field, row->is_at_field);
        assert_int_equal(mails, row->mails * i);
        assert_false(visitor->has_pending);
        assert_int_equal(visitor->pending.kind, APW_METHOD_MAIL);
        assert_string_equal(visitor->pending.address, row->address);
    }
    mailing = APW_MAIL_SENT;
    choose(ADDRESS);
    assert_redirected("contact-code", APW_TEXT_NONE, true); /* the first one that was sent */
    visit_end();
}

static void test_show(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    apw_factor_mail_show_code(&request);
    assert_redirected("contact", APW_TEXT_NONE, false);
    strcpy(visitor->pending.address, ADDRESS);
    visitor->has_pending = true;
    visitor->pending.kind = APW_METHOD_APP;
    visit_next();
    apw_factor_mail_show_code(&request);
    assert_redirected("contact", APW_TEXT_NONE, false);
    visit_next();
    apw_factor_mail_show_contact(&request);
    assert_shown(200, "Step 2 of 4");
    assert_contains(exchange.body.bytes, "type=\"email\" value=\"\"");
    visitor->pending.kind = APW_METHOD_MAIL;
    visit_next();
    apw_factor_mail_show_contact(&request);
    assert_shown(200, "type=\"email\" value=\"" ADDRESS "\"");
    visit_next();
    apw_factor_mail_show_code(&request);
    assert_shown(200, "Step 2 of 4");
    assert_contains(exchange.body.bytes, "a six-digit code to " ADDRESS);
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("a code is sent", test_send);
    UNIT_TEST("the fourth has to wait", test_send_waits);
    UNIT_ROWS(failures, test_send_fails);
    UNIT_TEST("the right code is right once", test_check);
    UNIT_TEST("a code has five tries", test_five_tries);
    UNIT_TEST("a code is good for ten minutes", test_ten_minutes);
    UNIT_TEST("an address is masked", test_mask);
    UNIT_TEST("the site's own addresses are known", test_is_own);
    UNIT_ROWS(links, test_link);
    UNIT_TEST("an address gets a code, and another one on demand", test_contact);
    UNIT_ROWS(contacts, test_contact_fails);
    UNIT_TEST("the pages show the address", test_show);
    return unit_run();
}
