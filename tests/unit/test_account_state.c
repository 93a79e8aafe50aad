/* SPDX-License-Identifier: BSD-2-Clause */
/* Which values of which attributes end an account, and when. */
#include "account_state.h"
#include "unit.h"

#define NOW INT64_C(1800000000) /* 2027-01-15 08:00:00 UTC, day 20833 */

#define ACTIVE     APW_ACCOUNT_STATE_ACTIVE
#define ENDED      APW_ACCOUNT_STATE_ENDED
#define UNREADABLE APW_ACCOUNT_STATE_UNREADABLE

static const struct state_case {
    const char *name;
    const char *attribute;
    const char *value;
    enum apw_account_state state;
} cases[] = {
    {"another attribute says nothing", "uid", "TRUE", ACTIVE},
    {"a temporary lock", "pwdAccountLockedTime", "20270115075959Z", ACTIVE},
    {"a lock for good", "pwdAccountLockedTime", "000001010000Z", ENDED},
    {"a lock that is no time", "pwdAccountLockedTime", "yes", UNREADABLE},
    {"an empty lock", "pwdAccountLockedTime", "", UNREADABLE},
    {"nsAccountLock TRUE", "nsAccountLock", "TRUE", ENDED},
    {"nsAccountLock true", "nsaccountlock", "true", ENDED},
    {"nsAccountLock FALSE", "nsAccountLock", "FALSE", ACTIVE},
    {"nsAccountLock false", "nsAccountLock", "false", ACTIVE},
    {"nsAccountLock with more after it", "nsAccountLock", "falsetto", UNREADABLE},
    {"nsAccountLock empty", "nsAccountLock", "", UNREADABLE},
    {"a start in a second", "pwdStartTime", "20270115080001Z", ENDED},
    {"a start now", "pwdStartTime", "20270115080000Z", ACTIVE},
    {"a start with a zone", "pwdStartTime", "20270115080000+0100", ACTIVE},
    {"a start that is no time", "pwdStartTime", "20270115", UNREADABLE},
    {"an end in a second", "pwdEndTime", "20270115080001Z", ACTIVE},
    {"an end now", "pwdEndTime", "20270115080000Z", ENDED},
    {"an end with a zone", "pwdEndTime", "20270115080000-0100", ACTIVE},
    {"an end that is no time", "pwdEndTime", "never", UNREADABLE},
    {"a normal account", "userAccountControl", "512", ACTIVE},
    {"a disabled account", "userAccountControl", "514", ENDED},
    {"disabled with the highest bit", "userAccountControl", "-2147483646", ENDED},
    {"the highest bit alone", "userAccountControl", "-2147483648", ACTIVE},
    {"control in hexadecimal", "userAccountControl", "0x202", UNREADABLE},
    {"control with a space", "userAccountControl", " 514", UNREADABLE},
    {"a sign alone", "userAccountControl", "-", UNREADABLE},
    {"accountExpires 0", "accountExpires", "0", ACTIVE},
    {"accountExpires never", "accountExpires", "9223372036854775807", ACTIVE},
    {"accountExpires in a second", "accountExpires", "134444736010000000", ACTIVE},
    {"accountExpires now", "accountExpires", "134444736000000000", ENDED},
    {"accountExpires long ago", "accountExpires", "1", ENDED},
    {"accountExpires negative", "accountExpires", "-1", UNREADABLE},
    {"accountExpires too large", "accountExpires", "9223372036854775808", UNREADABLE},
    {"accountExpires empty", "accountExpires", "", UNREADABLE},
    {"a principal that expires in a second", "krbPrincipalExpiration", "20270115080001Z", ACTIVE},
    {"a principal that expires now", "krbPrincipalExpiration", "20270115080000Z", ENDED},
    {"a principal that never expires", "krbPrincipalExpiration", "19700101000000Z", ACTIVE},
    {"a principal's time that is invalid", "krbPrincipalExpiration", "x", UNREADABLE},
    {"shadowExpire empty", "shadowExpire", "", ACTIVE},
    {"shadowExpire -1", "shadowExpire", "-1", ACTIVE},
    {"shadowExpire tomorrow", "shadowExpire", "20834", ACTIVE},
    {"shadowExpire today", "shadowExpire", "20833", ENDED},
    {"shadowExpire 0", "shadowExpire", "0", ENDED},
    {"shadowExpire -2", "shadowExpire", "-2", UNREADABLE},
    {"shadowExpire that is a date", "shadowExpire", "2027-01-15", UNREADABLE},
};

static enum apw_account_state read_values(const char *name, bool has_options,
                                          const char *const values[2], struct apw_error *error)
{
    struct apw_value value[2] = {{NULL, 0}};
    struct apw_attribute attribute = {
        .name = (char *)name, .has_options = has_options, .value = value};
    const struct apw_entry entry = {.attribute_count = 1, .attribute = &attribute};
    enum apw_account_state state;

    for (; attribute.count < 2 && values[attribute.count] != NULL; attribute.count++)
        value[attribute.count] =
            (struct apw_value){unit_copy(values[attribute.count], strlen(values[attribute.count])),
                               strlen(values[attribute.count])};
    state = apw_account_state_read(&entry, APW_DIRECTORY_LDAP, NOW, error);
    for (size_t i = 0; i < attribute.count; i++)
        free(value[i].bytes);
    return state;
}

static void test_state(void **state)
{
    const struct state_case *row = *state;
    const char *const values[2] = {row->value, NULL};

    for (int has_options = 0; has_options < 2; has_options++) {
        struct apw_error error = {""};

        assert_int_equal(read_values(row->attribute, has_options, values, &error), row->state);
        if (row->state == ACTIVE)
            assert_string_equal(error.text, "");
        else
            assert_contains(error.text, row->attribute);
    }
}

/* Active Directory: what every account has must be seen. */
static void test_missing(void **state)
{
    static const struct missing_case {
        const char *control, *expires;
        enum apw_account_state state;
        const char *error;
    } rows[] = {
        {"512", "0", ACTIVE, ""},
        {"514", "0", ENDED, "userAccountControl"},
        {NULL, "0", UNREADABLE, "userAccountControl"},
        {"512", NULL, UNREADABLE, "accountExpires"},
        {"514", NULL, ENDED, "userAccountControl"},
        {NULL, NULL, UNREADABLE, "userAccountControl"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct apw_value control = {(char *)rows[i].control, 3}, expires = {(char *)"0", 1};
        struct apw_attribute attributes[] = {
            {.name = (char *)"userAccountControl",
             .count = control.bytes != NULL,
             .value = &control},
            {.name = (char *)"accountExpires", .count = rows[i].expires != NULL, .value = &expires},
        };
        const struct apw_entry entry = {.attribute_count = 2, .attribute = attributes};
        struct apw_error error = {""};

        assert_int_equal(
            apw_account_state_read(&entry, APW_DIRECTORY_ACTIVE_DIRECTORY, NOW, &error),
            rows[i].state);
        assert_contains(error.text, rows[i].error);
        assert_int_equal(apw_account_state_read(&entry, APW_DIRECTORY_LDAP, NOW, &error),
                         rows[i].state == UNREADABLE ? ACTIVE : rows[i].state);
    }
}

static void test_several(void **state)
{
    struct apw_error error;

    (void)state;
    assert_int_equal(
        read_values("pwdEndTime", false, (const char *const[]){"x", "20200101000000Z"}, &error),
        ENDED);
    assert_int_equal(
        read_values("pwdEndTime", false, (const char *const[]){"20300101000000Z", "x"}, &error),
        UNREADABLE);
    assert_int_equal(read_values("pwdEndTime", false, (const char *const[]){NULL, NULL}, &error),
                     ACTIVE);
}

/* The search names every attribute that is judged. */
static void test_names(void **state)
{
    const char *const values[2] = {"?", NULL};
    struct apw_error error;

    (void)state;
    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        assert_int_equal(read_values(apw_account_state_attributes[i], false, values, &error),
                         UNREADABLE);
}

int main(void)
{
    UNIT_ROWS(cases, test_state);
    UNIT_TEST("what every account has must be seen", test_missing);
    UNIT_TEST("of several values the worst counts", test_several);
    UNIT_TEST("each attribute that is asked for is judged", test_names);
    return unit_run();
}
