/* SPDX-License-Identifier: BSD-2-Clause */
/* What is common to second factors: their names, what a wrong one is told, and what a right one
 * gives. */
#include "factor.h"
#include "tries.h"
#include "visit.h"
#include "web/browser.h"
#include <liboath/oath.h>

#define ADDRESS "alice@example.net"
#define PATH    "somewhere"

/* ---- names ---- */

static const struct title_case {
    const char *name;
    enum apw_method_kind kind;
    const char *own_name, *title;
} titles[] = {
    {"an app without a name", APW_METHOD_APP, "", "Authenticator app"},
    {"an app with a name", APW_METHOD_APP, "My phone", "Authenticator app – My phone"},
    {"a name may be one character", APW_METHOD_APP, "1", "Authenticator app – 1"},
    {"a passkey", APW_METHOD_PASSKEY, "Blue key", "Passkey – Blue key"},
    {"recovery codes", APW_METHOD_RECOVERY, "", "Recovery code"},
    {"an address without a name", APW_METHOD_MAIL, "", "Code by e-mail – a…e@example.net"},
    {"an address with a name", APW_METHOD_MAIL, "2", "Code by e-mail – 2"},
};

static void test_title(void **state)
{
    const struct title_case *row = *state;
    struct apw_method method = {.kind = row->kind, .address = ADDRESS};
    char title[APW_FACTOR_TITLE_SIZE];

    visit_begin();
    strcpy(method.name, row->own_name);
    apw_factor_title(&request, &method, title);
    assert_string_equal(title, row->title);
    visit_end();
}

/* ---- a wrong one ---- */

static void refuse(const struct apw_method *method, enum apw_reason reason, const char *action)
{
    apw_factor_refuse(&request, &(struct apw_factor_refusal){.reason = reason,
                                                             .method = method,
                                                             .action = action,
                                                             .error = &(struct apw_error){"why"},
                                                             .path = PATH});
}

static const struct complaint_case {
    const char *name;
    enum apw_method_kind kind;
    const char *sent_to; /* a code by mail; "" for none */
    unsigned tries_left; /* of that code */
    enum apw_text text;
    bool is_at_field;
} complaints[] = {
    {"an app's code", APW_METHOD_APP, "", 0, APW_TEXT_WRONG_CODE, true},
    {"a passkey", APW_METHOD_PASSKEY, "", 0, APW_TEXT_WRONG_PASSKEY, false},
    {"a recovery code", APW_METHOD_RECOVERY, "", 0, APW_TEXT_WRONG_RECOVERY_CODE, true},
    {"a code by mail, and none was sent", APW_METHOD_MAIL, "", 0, APW_TEXT_WRONG_CODE, true},
    {"a code by mail", APW_METHOD_MAIL, ADDRESS, 1, APW_TEXT_WRONG_MAIL_CODE, true},
    {"the last code by mail", APW_METHOD_MAIL, ADDRESS, 0, APW_TEXT_DEAD_MAIL_CODE, false},
    {"an app's code, and one was sent", APW_METHOD_APP, ADDRESS, 1, APW_TEXT_WRONG_CODE, true},
};

static void test_complaint(void **state)
{
    const struct complaint_case *row = *state;
    struct apw_method method = {.kind = row->kind, .address = ADDRESS};
    struct apw_visitor *visitor = visit_begin();

    strcpy(visitor->mail.code, row->sent_to[0] != '\0' ? "123456" : "");
    strcpy(visitor->mail.address, row->sent_to);
    visitor->mail.tries_left = row->tries_left;
    visitor->mail.until_ms = now_ms + 1;
    refuse(&method, APW_REASON_WRONG_SECOND_FACTOR, "second-factor");
    assert_redirected(PATH, row->text, false);
    assert_int_equal(request.session->is_flash_at_field, row->is_at_field);
    assert_logged("verdict=refused reason=wrong-second-factor user=\"alice\"");
    assert_logged("action=second-factor");
    visit_end();
}

static void test_outage(void **state)
{
    const struct apw_method method = {.kind = APW_METHOD_APP};

    (void)state;
    visit_begin();
    refuse(&method, APW_REASON_INTERNAL_ERROR, "second-factor");
    assert_shown(503, "</html>");
    assert_logged("verdict=unavailable reason=internal-error user=\"alice\"");
    assert_logged("why");
    visit_end();
}

/* Wrong second factors and wrong enrollment codes wait on their own. */
static void test_waiting(void **state)
{
    (void)state;
    visit_begin();
    for (int i = 0; i < 20; i++)
        apw_tries_take(&request, APW_TRIES_CODE);
    refuse(NULL, APW_REASON_TOO_MANY_TRIES, "enrolment-code");
    assert_redirected(PATH, APW_TEXT_WAIT, false);
    assert_int_equal(request.session->flash_minutes, 15);
    visit_next();
    for (int i = 0; i < 8; i++)
        apw_tries_take(&request, APW_TRIES_FACTOR);
    refuse(NULL, APW_REASON_TOO_MANY_TRIES, "second-factor");
    assert_redirected(PATH, APW_TEXT_WAIT, false);
    assert_int_equal(request.session->flash_minutes, 4);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\"");
    visit_end();
}

/* ---- the clock of a phone ---- */

static const struct clock_case {
    const char *name;
    enum apw_method_kind kind;
    bool is_setting_up, is_known;
    int ahead_s; /* by the code; 0: a code of no time */
    enum apw_text text;
    unsigned minutes;
} clocks[] = {
    {"a clock that is ahead, while setting up", APW_METHOD_APP, true, false, 120,
     APW_TEXT_CLOCK_AHEAD, 2},
    {"a clock that is ahead, in a known browser", APW_METHOD_APP, false, true, 1770,
     APW_TEXT_CLOCK_AHEAD, 30},
    {"a clock that is behind", APW_METHOD_APP, true, true, -1770, APW_TEXT_CLOCK_BEHIND, 30},
    {"minutes are rounded up", APW_METHOD_APP, true, false, -150, APW_TEXT_CLOCK_BEHIND, 3},
    {"an unknown browser is not told", APW_METHOD_APP, false, false, 120, APW_TEXT_WRONG_CODE, 0},
    {"a code of no time", APW_METHOD_APP, true, true, 0, APW_TEXT_WRONG_CODE, 0},
    {"a code by mail has no clock", APW_METHOD_MAIL, true, true, 120, APW_TEXT_WRONG_CODE, 0},
};

static void test_clock(void **state)
{
    const struct clock_case *row = *state;
    struct apw_method method = {.kind = row->kind, .secret = "a secret of an app"};
    char code[APW_TOTP_DIGITS + 1] = "no";

    visit_begin()->has_pending = row->is_setting_up;
    if (row->is_known)
        visit_know_browser();
    if (row->ahead_s != 0)
        assert_int_equal(oath_hotp_generate((const char *)method.secret, sizeof method.secret,
                                            (uint64_t)((now_s + row->ahead_s) / 30),
                                            APW_TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION,
                                            code),
                         OATH_OK);
    visit_type("code", code);
    refuse(&method, APW_REASON_WRONG_SECOND_FACTOR, "second-factor");
    assert_redirected(PATH, row->text, false);
    assert_int_equal(request.session->flash_minutes, row->minutes);
    visit_end();
}

/* ---- a right one ---- */

static void test_grant(void **state)
{
    const struct apw_method method = {.kind = APW_METHOD_APP, .id = "1f2e3d4c"};
    struct apw_visitor *visitor = visit_begin();

    (void)state;
    visitor->is_choosing = visitor->has_pending = true;
    strcpy(visitor->mail.code, "123456");
    strcpy(visitor->asked, "1f2e3d4d");
    apw_factor_grant(&request, &method);
    assert_int_equal(request.session->level, APW_RIGHTS_FULL);
    assert_true(request.session->is_known);
    assert_memory_equal(&visitor->method, &method, sizeof method);
    assert_false(visitor->is_choosing);
    assert_false(visitor->has_pending);
    assert_string_equal(visitor->mail.code, "");
    assert_string_equal(visitor->asked, "");
    assert_string_not_equal(exchange.new_cookie, exchange.cookie);
    visit_end();
}

static const struct mark_case {
    const char *name;
    bool is_marked;         /* the browser has a mark of now */
    int other_since, since; /* another factor's, and that of the one passed; seconds from now */
    bool is_new;            /* the browser gets a mark */
} marks[] = {
    {"an unknown browser becomes known", false, -100, -100, true},
    {"a known one stays known", true, -100, -100, false},
    {"a mark must not be older than the factor", true, -100, 1, true},
    {"nor than another factor", true, 1, -100, true},
};

static void test_mark(void **state)
{
    const struct mark_case *row = *state;
    struct apw_method method = {.kind = APW_METHOD_APP, .id = "1f2e3d4c"};

    visit_begin();
    if (row->is_marked)
        visit_know_browser();
    method.since = now_s + row->since;
    visit_add_factor(APW_METHOD_APP, "1f2e3d4d")->method.since = now_s + row->other_since;
    apw_factor_grant(&request, &method);
    assert_int_equal(apw_browser_is_known(portal_config.key, "alice", exchange.new_browser),
                     row->is_new);
    assert_int_equal(exchange.new_browser[0] != '\0', row->is_new);
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_ROWS(titles, test_title);
    UNIT_ROWS(complaints, test_complaint);
    UNIT_TEST("a factor that cannot be checked is an outage", test_outage);
    UNIT_TEST("factors and enrollment codes wait apart", test_waiting);
    UNIT_ROWS(clocks, test_clock);
    UNIT_TEST("a right factor gives all rights", test_grant);
    UNIT_ROWS(marks, test_mark);
    return unit_run();
}
