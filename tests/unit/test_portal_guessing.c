/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting wrong codes of browsers that are not known, the mail to the owner, and its link. */
#include "guessing.h"
#include "visit.h"
#include "web/browser.h"

#define LINK_START "https://mail.example.org/root/this-browser/"
#define OLD_LINK   "AAAAAAAAAAAAAAAAAAAAAA"

/* ---- counting ---- */

static void test_charge(void **state)
{
    struct apw_error error = {""};

    (void)state;
    visit_begin();
    for (unsigned i = 1; i <= 50; i++) {
        assert_int_equal(apw_guessing_charge(&request, &error), APW_ACCEPTED);
        assert_int_equal(kept.count, i);
    }
    assert_int_equal(apw_guessing_charge(&request, &error), APW_REFUSED);
    assert_int_equal(kept.count, 50);
    visit_know_browser();
    assert_int_equal(apw_guessing_charge(&request, &error), APW_ACCEPTED);
    assert_int_equal(kept.count, 50);
    visit_end();
}

static const struct result_case {
    const char *name;
    unsigned conflicts;
    enum apw_manage_result result;
    enum apw_verdict verdict;
    bool is_logged; /* if a code is given back, or the owner cannot be told */
} results[] = {
    {"a code is checked if it is counted", 0, APW_MANAGE_DONE, APW_ACCEPTED, false},
    {"also after four conflicts", 4, APW_MANAGE_DONE, APW_ACCEPTED, false},
    {"not after five", 5, APW_MANAGE_DONE, APW_REFUSED, false},
    {"without the directory it is not checked", 0, APW_MANAGE_UNAVAILABLE, APW_UNAVAILABLE, true},
    {"nor without the right", 0, APW_MANAGE_NOT_PERMITTED, APW_UNAVAILABLE, true},
    {"nor if the server rejects the change", 4, APW_MANAGE_REFUSED, APW_UNAVAILABLE, true},
};

static void test_result(void **state)
{
    const struct result_case *row = *state;
    struct apw_error error = {""};

    visit_begin();
    stored = row->result;
    stored_conflicts = row->conflicts;
    assert_int_equal(apw_guessing_charge(&request, &error), row->verdict);
    assert_int_equal(kept.count, row->verdict == APW_ACCEPTED);
    visit_end();
}

static void assert_failure(const struct result_case *row, const char *action)
{
    if (row->is_logged) {
        assert_logged("verdict=unavailable reason=not-done user=\"alice\"");
        assert_logged(action);
        assert_logged("not stored");
    } else {
        assert_not_logged("not-done");
    }
}

static void test_give_back_result(void **state)
{
    const struct result_case *row = *state;

    visit_begin();
    kept.count = 2;
    stored = row->result;
    stored_conflicts = row->conflicts;
    apw_guessing_give_back(&request);
    assert_int_equal(kept.count, row->verdict == APW_ACCEPTED ? 1 : 2);
    assert_failure(row, "action=second-factor");
    visit_end();
}

static void test_tell_result(void **state)
{
    const struct result_case *row = *state;

    visit_begin();
    stored = row->result;
    stored_conflicts = row->conflicts;
    apw_guessing_tell_at_once(&request);
    assert_int_equal(mails, row->verdict == APW_ACCEPTED);
    assert_failure(row, "action=mail");
    visit_end();
}

static void test_give_back(void **state)
{
    (void)state;
    visit_begin();
    kept.count = 1;
    apw_guessing_give_back(&request);
    assert_int_equal(kept.count, 0);
    assert_int_equal(stores, 1);
    apw_guessing_give_back(&request);
    assert_int_equal(kept.count, 0);
    assert_int_equal(stores, 1);
    kept.count = 1;
    visit_know_browser();
    apw_guessing_give_back(&request);
    assert_int_equal(kept.count, 1); /* none was charged */
    visit_end();
}

/* ---- telling the owner ---- */

static void test_tell(void **state)
{
    (void)state;
    visit_begin();
    kept.count = 9;
    apw_guessing_tell(&request);
    assert_int_equal(mails, 0);
    kept.count = 10;
    apw_guessing_tell(&request);
    assert_int_equal(mails, 1);
    assert_string_equal(mailed_to, VISIT_ADDRESS);
    assert_contains(mailed, "Subject: Somebody else may know your password\n");
    assert_contains(mailed, LINK_START);
    assert_int_equal(kept.told, kept.day);
    kept.count = 50;
    apw_guessing_tell(&request);
    apw_guessing_tell_at_once(&request);
    assert_int_equal(mails, 1); /* once a day */
    assert_int_equal(stores, 1);
    kept.told = kept.day - 1;
    visit_know_browser();
    apw_guessing_tell(&request);
    assert_int_equal(mails, 1);
    apw_guessing_tell_at_once(&request);
    assert_int_equal(mails, 2);
    visit_end();
}

static void test_tell_at_once(void **state)
{
    (void)state;
    visit_begin();
    strcpy(visit_add_factor(APW_METHOD_MAIL, "1f2e3d4c")->method.address, "alice@example.net");
    apw_guessing_tell_at_once(&request);
    assert_int_equal(mails, 1);
    assert_string_equal(mailed_to, "alice@example.net"); /* where codes go */
    assert_int_equal(kept.count, 0);
    visit_end();
}

/* Of a mail that was not sent, nothing stays. */
static void test_not_sent(void **state)
{
    static const enum apw_mail_result failures[] = {APW_MAIL_NOT_SENT, APW_MAIL_REFUSED};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(failures); i++) {
        visit_begin();
        kept = (struct apw_guesses){.day = 20000, .count = 10, .told = 19999, .link = OLD_LINK};
        mailing = failures[i];
        apw_guessing_tell(&request);
        assert_int_equal(mails, 1);
        assert_int_equal(stores, 2);
        assert_int_equal(kept.told, 19999);
        assert_string_equal(kept.link, OLD_LINK);
        mailing = APW_MAIL_SENT;
        apw_guessing_tell(&request);
        assert_int_equal(kept.told, 20000);
        assert_string_not_equal(kept.link, OLD_LINK);
        visit_end();
    }
}

static void use_link_elsewhere(void)
{
    kept.link[0] = '\0';
}

static void test_used_meanwhile(void **state)
{
    (void)state;
    visit_begin();
    kept = (struct apw_guesses){.day = 20000, .count = 10, .told = 19999, .link = OLD_LINK};
    mailing = APW_MAIL_NOT_SENT;
    during_mail = use_link_elsewhere;
    apw_guessing_tell(&request);
    assert_int_equal(stores, 1);
    assert_string_equal(kept.link, "");
    assert_int_equal(kept.told, 20000);
    visit_end();
}

/* The relay is down: three mails at once, then one after 5, 10, 20, 40, 60 and 60 seconds. */
static void test_patience(void **state)
{
    static const int waits_s[] = {0, 0, 5, 10, 20, 40, 60, 60};

    (void)state;
    visit_begin();
    mailing = APW_MAIL_NOT_SENT;
    for (unsigned i = 0; i < UNIT_COUNT(waits_s); i++) {
        apw_guessing_tell_at_once(&request);
        assert_int_equal(mails, i + 1);
        if (waits_s[i] > 0) {
            now_ms += waits_s[i] * 1000 - 1;
            apw_guessing_tell_at_once(&request);
            assert_int_equal(mails, i + 1);
            assert_int_equal(kept.told, 0);
            now_ms++;
        }
    }
    visit_end();
}

/* ---- the link ---- */

static char path[APW_PATH_SIZE];

/* Mails a link, and opens it. */
static void open_link(void)
{
    const char *link;

    visit_begin();
    apw_guessing_tell_at_once(&request);
    link = strstr(mailed, LINK_START);
    assert_non_null(link);
    link += strlen(LINK_START);
    snprintf(path, sizeof path, "this-browser/%.*s", (int)strcspn(link, "\n"), link);
    exchange.path = path;
    assert_true(kept.link[0] != '\0');
}

static void test_link(void **state)
{
    char form[APW_PATH_SIZE + 64];

    (void)state;
    open_link();
    apw_guessing_show_link(&request);
    snprintf(form, sizeof form, "action=\"/root/%s\"", path);
    assert_shown(200, form);
    assert_true(kept.link[0] != '\0'); /* looking at it does not use it */
    visit_next();
    apw_guessing_do_link(&request);
    assert_redirected("", APW_TEXT_BROWSER_KNOWN, true);
    assert_true(request.session->is_known);
    assert_true(apw_browser_is_known(portal_config.key, "alice", exchange.new_browser));
    assert_logged("verdict=accepted reason=done user=\"alice\"");
    assert_logged("action=this-browser");
    visit_next();
    request.session->is_known = false;
    apw_guessing_do_link(&request);
    assert_redirected("", APW_TEXT_BROWSER_LINK_USED, false);
    assert_false(request.session->is_known);
    assert_string_equal(exchange.new_browser, "");
    assert_logged("verdict=refused reason=not-done user=\"alice\"");
    visit_end();
}

static void test_link_fails(void **state)
{
    (void)state;
    open_link();
    stored = APW_MANAGE_UNAVAILABLE;
    apw_guessing_do_link(&request);
    assert_shown(503, "</html>");
    assert_false(request.session->is_known);
    assert_string_equal(exchange.new_browser, "");
    assert_logged("verdict=unavailable reason=directory-unavailable user=\"alice\"");
    visit_end();
}

static void test_no_link(void **state)
{
    static const char *const paths[] = {"this-browser/", "this-browser/../../sign-out",
                                        "this-browser/" OLD_LINK "A"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(paths); i++) {
        visit_begin();
        exchange.path = paths[i];
        apw_guessing_show_link(&request);
        assert_shown(404, "This page doesn’t exist.");
        visit_next();
        apw_guessing_do_link(&request);
        assert_shown(404, "This page doesn’t exist.");
        assert_false(request.session->is_known);
        assert_not_logged("this-browser");
        visit_end();
    }
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("fifty codes a day are checked in unknown browsers", test_charge);
    UNIT_ROWS(results, test_result);
    UNIT_ROWS(results, test_give_back_result);
    UNIT_ROWS(results, test_tell_result);
    UNIT_TEST("a right code does not count", test_give_back);
    UNIT_TEST("the owner gets a mail after ten, once a day", test_tell);
    UNIT_TEST("or at once, where codes go", test_tell_at_once);
    UNIT_TEST("a mail that was not sent is taken back", test_not_sent);
    UNIT_TEST("unless its link was used meanwhile", test_used_meanwhile);
    UNIT_TEST("mails that fail are not tried each time", test_patience);
    UNIT_TEST("the link makes this browser known, once", test_link);
    UNIT_TEST("without the directory it does not", test_link_fails);
    UNIT_TEST("what is no link is not found", test_no_link);
    return unit_run();
}
