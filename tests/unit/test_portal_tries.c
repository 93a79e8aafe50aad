/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits on tries of codes: of a network, of a known browser, and of an account. */
#include "tries.h"
#include "visit.h"

static void come_from(unsigned network)
{
    snprintf(exchange.client, sizeof exchange.client, "198.51.100.%u", network);
}

static struct apw_visitor *begin(void)
{
    struct apw_visitor *visitor = visit_begin();

    come_from(1);
    return visitor;
}

static void take(enum apw_tries_kind kind, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_true(apw_tries_take(&request, kind));
}

static void pass(int64_t seconds)
{
    now_ms += seconds * 1000;
}

/* ---- one network, or one known browser ---- */

static const struct patience_case {
    const char *name;
    enum apw_tries_kind kind;
    unsigned free;
    int64_t waits_s[8];
} patiences[] = {
    {"a second factor", APW_TRIES_FACTOR, 5, {30, 60, 120, 240, 480, 900, 900, 900}},
    {"an enrollment code", APW_TRIES_CODE, 5, {30, 60, 120, 240, 480, 900, 900, 900}},
    {"a code by mail", APW_TRIES_MAIL, 3, {60, 120, 240, 480, 900, 900, 900, 900}},
};

static void test_patience(void **state)
{
    const struct patience_case *row = *state;

    for (int is_known = 0; is_known <= 1; is_known++) {
        begin();
        if (is_known)
            visit_know_browser();
        take(row->kind, row->free);
        for (size_t i = 0; i < UNIT_COUNT(row->waits_s); i++) {
            assert_int_equal(apw_tries_wait_minutes(&request, row->kind),
                             (row->waits_s[i] + 59) / 60);
            assert_false(apw_tries_account_waits(&request, row->kind));
            pass(row->waits_s[i]);
            take(row->kind, 1);
        }
        visit_end();
    }
}

/* A try during the wait fails, and makes the wait longer. */
static void test_polling(void **state)
{
    const struct patience_case *row = *state;

    for (int is_known = 0; is_known <= 1; is_known++) {
        begin();
        if (is_known)
            visit_know_browser();
        take(row->kind, row->free);
        for (size_t i = 1; i < UNIT_COUNT(row->waits_s); i++) {
            pass(row->waits_s[i - 1] - 1);
            assert_false(apw_tries_take(&request, row->kind));
            assert_int_equal(apw_tries_wait_minutes(&request, row->kind),
                             (row->waits_s[i] + 59) / 60);
        }
        visit_end();
    }
}

static void test_apart(void **state)
{
    const struct patience_case *row = *state;

    begin();
    take(row->kind, row->free);
    assert_false(apw_tries_take(&request, row->kind));
    come_from(2); /* another network */
    take(row->kind, row->free);
    assert_false(apw_tries_take(&request, row->kind));
    visit_know_browser();
    take(row->kind, row->free);
    assert_false(apw_tries_take(&request, row->kind));
    come_from(1); /* the same browser elsewhere */
    assert_false(apw_tries_take(&request, row->kind));
    exchange.browser[0] = '\0';
    come_from(2);
    user.unique_id = (char *)"another"; /* another person there */
    take(row->kind, row->free);
    assert_false(apw_tries_take(&request, row->kind));
    visit_end();
}

static void test_kinds_apart(void **state)
{
    (void)state;
    begin();
    take(APW_TRIES_FACTOR, 5);
    take(APW_TRIES_CODE, 5);
    take(APW_TRIES_MAIL, 3);
    visit_end();
}

static void test_give_back(void **state)
{
    const struct patience_case *row = *state;

    for (int is_known = 0; is_known <= 1; is_known++) {
        begin();
        if (is_known)
            visit_know_browser();
        take(row->kind, row->free);
        for (int i = 0; i < 30; i++) {
            apw_tries_give_back(&request, row->kind);
            take(row->kind, 1);
        }
        assert_false(apw_tries_take(&request, row->kind));
        visit_end();
    }
}

static void test_forget(void **state)
{
    const struct patience_case *row = *state;

    for (int is_known = 0; is_known <= 1; is_known++) {
        begin();
        come_from(2);
        take(row->kind, row->free);
        come_from(1);
        if (is_known)
            visit_know_browser();
        take(row->kind, row->free);
        apw_tries_forget(&request, row->kind);
        take(row->kind, row->free);
        assert_false(apw_tries_take(&request, row->kind));
        exchange.browser[0] = '\0';
        come_from(2); /* its tries still count */
        assert_false(apw_tries_take(&request, row->kind));
        visit_end();
    }
}

/* ---- a browser that is known ---- */

/* A mark from before the newest second factor may be of a lost computer. */
static void test_old_mark(void **state)
{
    struct apw_factor *factor;

    (void)state;
    begin();
    assert_null(apw_tries_browser(&request));
    visit_know_browser();
    assert_ptr_equal(apw_tries_browser(&request), exchange.browser);
    factor = visit_add_factor(APW_METHOD_APP, "1f2e3d4c");
    factor->method.since = now_s - 1;
    assert_ptr_equal(apw_tries_browser(&request), exchange.browser);
    factor->method.since = now_s + 1;
    assert_null(apw_tries_browser(&request));
    visit_end();
}

/* ---- many networks ---- */

/* Twelve codes by mail from as many networks, and then one after a minute, two, four, up to 15. */
static void test_account(void **state)
{
    static const int64_t waits_s[] = {60, 120, 240, 480, 900, 900};
    unsigned network = 1;

    (void)state;
    begin();
    for (; network <= 12; network++) {
        assert_false(apw_tries_account_waits(&request, APW_TRIES_MAIL));
        come_from(network);
        take(APW_TRIES_MAIL, 1);
    }
    for (size_t i = 0; i < UNIT_COUNT(waits_s); i++) {
        pass(waits_s[i] - 1);
        for (int k = 0; k < 10; k++) { /* in vain, and without a longer wait for the owner */
            come_from(network++);
            assert_true(apw_tries_account_waits(&request, APW_TRIES_MAIL));
            assert_int_equal(apw_tries_wait_minutes(&request, APW_TRIES_MAIL), 1);
            assert_false(apw_tries_take(&request, APW_TRIES_MAIL));
        }
        now_ms += 999;
        assert_true(apw_tries_account_waits(&request, APW_TRIES_MAIL));
        now_ms++;
        assert_false(apw_tries_account_waits(&request, APW_TRIES_MAIL));
        take(APW_TRIES_MAIL, 1);
        assert_int_equal(apw_tries_wait_minutes(&request, APW_TRIES_MAIL),
                         waits_s[i + 1 < UNIT_COUNT(waits_s) ? i + 1 : i] / 60);
    }
    visit_end();
}

/* The owner's known browser gets codes all the same, and its network is not charged for others. */
static void test_owner(void **state)
{
    (void)state;
    begin();
    for (unsigned network = 11; network <= 22; network++) {
        come_from(network);
        take(APW_TRIES_MAIL, 1);
    }
    come_from(1);
    for (int i = 0; i < 10; i++)
        assert_false(apw_tries_take(&request, APW_TRIES_MAIL));
    visit_know_browser();
    assert_false(apw_tries_account_waits(&request, APW_TRIES_MAIL));
    assert_int_equal(apw_tries_wait_minutes(&request, APW_TRIES_MAIL), 1);
    take(APW_TRIES_MAIL, 3);
    exchange.browser[0] = '\0';
    pass(900);
    take(APW_TRIES_MAIL, 1);
    assert_true(apw_tries_account_waits(&request, APW_TRIES_MAIL));
    pass(900);
    take(APW_TRIES_MAIL, 1); /* the second of three of this network */
    pass(900);
    take(APW_TRIES_MAIL, 1);
    visit_end();
}

/* The account gets back one try, which was not sent or was answered, and no more. */
static void test_account_refund(void **state)
{
    (void)state;
    for (int is_forgotten = 0; is_forgotten <= 1; is_forgotten++) {
        begin();
        for (unsigned network = 1; network <= 12; network++) {
            come_from(network);
            take(APW_TRIES_MAIL, 1);
        }
        if (is_forgotten)
            apw_tries_forget(&request, APW_TRIES_MAIL);
        else
            apw_tries_give_back(&request, APW_TRIES_MAIL);
        come_from(13);
        take(APW_TRIES_MAIL, 1);
        come_from(14);
        assert_false(apw_tries_take(&request, APW_TRIES_MAIL));
        visit_end();
    }
}

/* Second factors have no limit for the account here: guessing.h counts them. */
static void test_no_account(void **state)
{
    (void)state;
    begin();
    for (unsigned network = 1; network <= 200; network++) {
        come_from(network);
        take(APW_TRIES_FACTOR, 5);
        take(APW_TRIES_CODE, 5);
        assert_false(apw_tries_account_waits(&request, APW_TRIES_FACTOR));
    }
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_ROWS(patiences, test_patience);
    UNIT_ROWS(patiences, test_polling);
    UNIT_ROWS(patiences, test_apart);
    UNIT_TEST("kinds of codes are counted apart", test_kinds_apart);
    UNIT_ROWS(patiences, test_give_back);
    UNIT_ROWS(patiences, test_forget);
    UNIT_TEST("a browser is known since its newest second factor", test_old_mark);
    UNIT_TEST("all networks together get a dozen codes by mail", test_account);
    UNIT_TEST("the owner's browser gets codes all the same", test_owner);
    UNIT_TEST("an account gets back the try that it did not use", test_account_refund);
    UNIT_TEST("no account waits for the second factors of others", test_no_account);
    return unit_run();
}
