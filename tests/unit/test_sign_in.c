/* SPDX-License-Identifier: BSD-2-Clause */
/* How somebody signed in, as Dovecot keeps it with the session. */
#include "sign_in.h"
#include "unit.h"

static const struct row {
    const char *name;
    enum apw_reason reason;
    const char *user, *id, *text;
} rows[] = {
    {"an app password is its id and the user", APW_REASON_APP_PASSWORD, "alice", "k7q2",
     "k7q2:alice"},
    {"the account password has no id", APW_REASON_ACCOUNT_PASSWORD, "alice", "",
     "account-password:alice"},
    {"the user may be a mail address", APW_REASON_APP_PASSWORD, "zoë@example.org", "k7q2",
     "k7q2:zoë@example.org"},
    {"no name is a pattern", APW_REASON_APP_PASSWORD, "a*b?c", "k7q2", "k7q2:a=2Ab=3Fc"},
    {"two names never have the same text", APW_REASON_APP_PASSWORD, "a=2Ab", "k7q2",
     "k7q2:a=3D2Ab"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct apw_event event = {.verdict = APW_ACCEPTED, .reason = row->reason};
    char text[APW_SIGN_IN_SIZE];

    snprintf(event.name, sizeof event.name, "%s", row->user);
    snprintf(event.id, sizeof event.id, "%s", row->id);
    apw_sign_in_format(&event, text);
    assert_string_equal(text, row->text);
}

static void test_longest(void **state)
{
    struct apw_event event = {.verdict = APW_ACCEPTED, .reason = APW_REASON_ACCOUNT_PASSWORD};
    char text[APW_SIGN_IN_SIZE];

    (void)state;
    memset(event.name, '*', APW_LOGIN_BYTES_MAX);
    apw_sign_in_format(&event, text);
    assert_int_equal(strlen(text), strlen("account-password:") + 3 * APW_LOGIN_BYTES_MAX);
    assert_string_equal(text + strlen(text) - 6, "=2A=2A");
}

int main(void)
{
    UNIT_ROWS(rows, test_row);
    UNIT_TEST("the longest name fits", test_longest);
    return unit_run();
}
