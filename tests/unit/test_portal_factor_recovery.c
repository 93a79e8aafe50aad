/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery codes: making them, and the pages that show them. */
#include "factor_recovery.h"
#include "visit.h"

/* ---- in place of reading the entry ---- */

static enum apw_account_lookup lookup;
static bool is_factor_lost; /* when the entry is read again */

void __wrap_apw_account_free(struct apw_account *account);
enum apw_account_lookup __wrap_apw_account_read(const struct apw_portal *asked, const char *dn,
                                                const char *login, struct apw_account *account_r,
                                                struct apw_error *error);

void __wrap_apw_account_free(struct apw_account *account)
{
    account->user = NULL;
}

enum apw_account_lookup __wrap_apw_account_read(const struct apw_portal *asked, const char *dn,
                                                const char *login, struct apw_account *account_r,
                                                struct apw_error *error)
{
    assert_ptr_equal(asked, &portal);
    assert_string_equal(dn, "uid=alice");
    assert_string_equal(login, "alice");
    assert_null(account_r->user); /* the one before is freed */
    account_r->user = &user;
    if (is_factor_lost)
        account_r->factors.count = 0;
    if (lookup != APW_ACCOUNT_THERE)
        apw_error_set(error, "not read");
    return lookup;
}

/* The person has passed the factor "1f2e3d4c". */
static struct apw_visitor *begin(void)
{
    struct apw_visitor *visitor = visit_begin();

    lookup = APW_ACCOUNT_THERE;
    is_factor_lost = false;
    visitor->method = visit_add_factor(APW_METHOD_APP, "1f2e3d4c")->method;
    return visitor;
}

static void assert_codes_made(const struct apw_visitor *visitor)
{
    struct apw_method method = added_factor;

    assert_int_equal(method.kind, APW_METHOD_RECOVERY);
    assert_int_equal(method.since, now_s);
    assert_true(apw_method_is_id(method.id, strlen(method.id)));
    for (size_t i = 0; i < APW_METHOD_CODES; i++)
        assert_true(apw_recovery_use(&method, visitor->codes.shown[i]));
}

static void assert_no_codes(const struct apw_visitor *visitor)
{
    assert_true(unit_is_zero(&visitor->codes, sizeof visitor->codes));
    assert_false(visitor->is_enrolling);
}

/* ---- with the first factor ---- */

static void test_begin(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    apw_factor_recovery_begin(&request);
    assert_redirected("recovery-codes", APW_TEXT_METHOD_SET_UP, true);
    assert_true(visitor->is_enrolling);
    assert_int_equal(factor_changes, 1);
    assert_null(removed_factor);
    assert_ptr_equal(kept_factor, request.account.factors.factor);
    assert_codes_made(visitor);
    assert_logged("recovery-codes");
    assert_logged("result=done");
    visit_end();
}

static const struct begin_case {
    const char *name;
    bool is_forbidden, is_factor_lost;
    enum apw_account_lookup lookup;
    enum apw_manage_result changed;
    unsigned changes;
} begins[] = {
    {"if the site does not allow them", true, false, APW_ACCOUNT_THERE, APW_MANAGE_DONE, 0},
    {"if the entry cannot be read", false, false, APW_ACCOUNT_UNAVAILABLE, APW_MANAGE_DONE, 0},
    {"if the account is gone", false, false, APW_ACCOUNT_GONE, APW_MANAGE_DONE, 0},
    {"if the factor is gone", false, true, APW_ACCOUNT_THERE, APW_MANAGE_DONE, 0},
    {"if somebody was faster", false, false, APW_ACCOUNT_THERE, APW_MANAGE_CONFLICT, 1},
    {"if the change fails", false, false, APW_ACCOUNT_THERE, APW_MANAGE_UNAVAILABLE, 1},
};

/* The person goes on without codes: to the first app password, or to the list. */
static void test_begin_fails(void **state)
{
    const struct begin_case *row = *state;

    for (size_t passwords = 0; passwords < 3; passwords++) {
        struct apw_visitor *visitor = begin();

        user.password_count = passwords;
        portal_config.factors.allows[APW_METHOD_RECOVERY] = !row->is_forbidden;
        is_factor_lost = row->is_factor_lost;
        lookup = row->lookup;
        changed = row->changed;
        apw_factor_recovery_begin(&request);
        if (passwords == 0)
            assert_redirected("verified", APW_TEXT_NONE, false);
        else
            assert_redirected("", APW_TEXT_METHOD_SET_UP, true);
        assert_int_equal(factor_changes, row->changes);
        assert_no_codes(visitor);
        assert_not_logged("result=done");
        visit_end();
    }
}

/* ---- new ones ---- */

static void test_make(void **state)
{
    struct apw_visitor *visitor = begin();
    struct apw_factor *old = visit_add_factor(APW_METHOD_RECOVERY, "1f2e3d4d");

    (void)state;
    old->method.since = 1;
    strcpy(visit_add_factor(APW_METHOD_MAIL, "1f2e3d4e")->method.address, "alice@example.net");
    visitor->is_enrolling = true;
    apw_factor_recovery_make(&request);
    assert_redirected("recovery-codes", APW_TEXT_NONE, false);
    assert_ptr_equal(removed_factor, old);
    assert_ptr_equal(kept_factor, request.account.factors.factor);
    assert_codes_made(visitor);
    assert_string_equal(visitor->method.id, "1f2e3d4c");
    assert_false(visitor->is_enrolling);
    assert_int_equal(mails, 2);
    assert_string_equal(mailed_to, "alice@example.net");
    assert_contains(mailed, "Subject: You have new recovery codes\n");
    visit_end();
}

static const struct make_case {
    const char *name;
    bool is_forbidden, has_no_other;
    enum apw_manage_result changed;
    enum apw_text text;
} makes[] = {
    {"no new codes if the site does not allow them", true, false, APW_MANAGE_DONE, APW_TEXT_NONE},
    {"nor without another factor", false, true, APW_MANAGE_DONE, APW_TEXT_NONE},
    {"nor if somebody was faster", false, false, APW_MANAGE_CONFLICT, APW_TEXT_CHANGED_MEANWHILE},
};

static void test_make_fails(void **state)
{
    const struct make_case *row = *state;
    struct apw_visitor *visitor = begin();

    portal_config.factors.allows[APW_METHOD_RECOVERY] = !row->is_forbidden;
    if (row->has_no_other)
        request.account.factors.count = 0;
    changed = row->changed;
    apw_factor_recovery_make(&request);
    assert_redirected("second-steps", row->text, false);
    assert_int_equal(factor_changes, row->changed != APW_MANAGE_DONE);
    assert_no_codes(visitor);
    assert_int_equal(mails, 0);
    visit_end();
}

/* ---- showing them ---- */

static size_t count(const char *part)
{
    size_t found = 0;

    for (const char *at = exchange.body.bytes; (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

static void test_show(void **state)
{
    static const struct {
        bool is_enrolling, is_beginner;
        const char *step, *next;
    } rows[] = {{true, true, "Step 2 of 4", "href=\"/root/verified\""},
                {true, false, "Step 2 of 2", "href=\"/root/verified\""},
                {false, false, NULL, "href=\"/root/second-steps\""}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct apw_visitor *visitor = begin();

        apw_factor_recovery_begin(&request);
        visitor->is_enrolling = rows[i].is_enrolling;
        visitor->is_beginner = rows[i].is_beginner;
        visit_next();
        apw_factor_recovery_show(&request);
        assert_shown(200, rows[i].next);
        for (size_t k = 0; k < APW_METHOD_CODES; k++)
            assert_int_equal(count(visitor->codes.shown[k]), 1);
        assert_int_equal(count("<li>"), APW_METHOD_CODES);
        if (rows[i].step != NULL)
            assert_contains(exchange.body.bytes, rows[i].step);
        else
            assert_int_equal(count("Step "), 0);
        visit_end();
    }
}

static void test_download(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    apw_factor_recovery_begin(&request);
    visit_next();
    apw_factor_recovery_download(&request);
    assert_shown(200, "Recovery codes for alice at mail.example.org\n");
    assert_string_equal(exchange.type, "text/plain; charset=utf-8");
    assert_string_equal(exchange.file_name, "recovery-codes.txt");
    for (size_t i = 0; i < APW_METHOD_CODES; i++)
        assert_int_equal(count(visitor->codes.shown[i]), 1);
    assert_int_equal(count("\n"), 3 + APW_METHOD_CODES);
    visit_end();
}

static void test_nothing_to_show(void **state)
{
    (void)state;
    begin();
    apw_factor_recovery_show(&request);
    assert_redirected("second-steps", APW_TEXT_NONE, false);
    assert_int_equal(exchange.body.length, 0);
    visit_next();
    apw_factor_recovery_download(&request);
    assert_redirected("second-steps", APW_TEXT_NONE, false);
    assert_int_equal(exchange.body.length, 0);
    visit_end();
}

static void test_tell(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    apw_factor_recovery_begin(&request);
    assert_true(apw_recovery_use(&added_factor, visitor->codes.shown[3]));
    apw_factor_recovery_tell(&request, &added_factor);
    assert_int_equal(mails, 1);
    assert_contains(mailed, "Unused codes: 9 of 10.");
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("codes are made with the first factor", test_begin);
    UNIT_ROWS(begins, test_begin_fails);
    UNIT_TEST("new codes replace the old ones", test_make);
    UNIT_ROWS(makes, test_make_fails);
    UNIT_TEST("the page shows them", test_show);
    UNIT_TEST("and so does a file", test_download);
    UNIT_TEST("without them there is none", test_nothing_to_show);
    UNIT_TEST("the owner is told how many are left", test_tell);
    return unit_run();
}
