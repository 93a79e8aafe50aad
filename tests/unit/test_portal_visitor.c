/* SPDX-License-Identifier: BSD-2-Clause */
/* A session forgets the secrets of a person. */
#include "unit.h"
#include "visitor.h"
#include <sodium.h>

static void test_forget_password(void **state)
{
    struct apw_visitor visitor = {.login = "alice", .has_password = true};

    (void)state;
    apw_password_make(&visitor.password);
    apw_web_session_make_cookie(visitor.profile_token);
    apw_visitor_forget_password(&visitor);
    assert_false(visitor.has_password);
    assert_true(unit_is_zero(&visitor.password, sizeof visitor.password));
    assert_true(unit_is_zero(visitor.profile_token, sizeof visitor.profile_token));
    assert_string_equal(visitor.login, "alice");
}

static void test_forget_pending(void **state)
{
    struct apw_visitor visitor = {.login = "alice",
                                  .has_pending = true,
                                  .pending = {.secret = "x"},
                                  .mail = {.code = "123456"}};

    (void)state;
    apw_visitor_forget_pending(&visitor);
    assert_false(visitor.has_pending);
    assert_true(unit_is_zero(&visitor.pending, sizeof visitor.pending));
    assert_string_equal(visitor.mail.code, "123456");
    apw_visitor_forget_mail_code(&visitor);
    assert_true(unit_is_zero(&visitor.mail, sizeof visitor.mail));
    assert_string_equal(visitor.login, "alice");
}

/* The end of a session frees the enrollment code; otherwise the leak checker would report it. */
static void test_end(void **state)
{
    struct apw_web_sessions *sessions;
    struct apw_web_session *session;
    struct apw_error error = {""};
    char cookie[APW_COOKIE_SIZE];

    (void)state;
    assert_int_equal(apw_web_sessions_new(&apw_visitor_content, &sessions, &error), 0);
    session = apw_web_session_begin(
        sessions, &(struct apw_web_session_asker){.owner = "uid=alice", .network = "-"}, 0, cookie);
    assert_non_null(session);
    ((struct apw_visitor *)session->content)->enrolment_code_value = strdup("code created=…");
    apw_web_session_end(sessions, session);
    apw_web_sessions_free(&sessions);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("a new app password is forgotten with its link", test_forget_password);
    UNIT_TEST("a pending second factor and a code by mail are forgotten", test_forget_pending);
    UNIT_TEST("the end of a session frees what it knows", test_end);
    return unit_run();
}
