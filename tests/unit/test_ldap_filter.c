/* SPDX-License-Identifier: BSD-2-Clause */
/* Filter templates and escaping. */
#include "ldap/filter.h"
#include "unit.h"

static const struct expand_case {
    const char *name;
    const char *template;
    const char *login;
    const char *filter;
} expand_cases[] = {
    {"%u is the login", "(uid=%u)", "alice", "(uid=alice)"},
    {"%u is the whole address", "(mail=%u)", "alice@example.org", "(mail=alice@example.org)"},
    {"%n is the part before the @", "(uid=%n)", "alice@example.org", "(uid=alice)"},
    {"%d is the part after the @", "(o=%d)", "alice@example.org", "(o=example.org)"},
    {"%n without an @ is the login", "(uid=%n)", "alice", "(uid=alice)"},
    {"%d without an @ is empty", "(&(uid=%n)(o=%d))", "alice", "(&(uid=alice)(o=))"},
    {"the last @ counts", "(&(uid=%n)(o=%d))", "a@b@c", "(&(uid=a@b)(o=c))"},
    {"%% is a percent sign", "(&(uid=%u)(cn=100%%))", "alice", "(&(uid=alice)(cn=100%))"},
    {"a login is not expanded again", "(uid=%u)", "%d%n%%", "(uid=%d%n%%)"},
    {"a login may be used twice", "(|(uid=%u)(mail=%u))", "a", "(|(uid=a)(mail=a))"},
    {"an asterisk is escaped", "(uid=%u)", "*", "(uid=\\2A)"},
    {"parentheses are escaped", "(uid=%u)", "a)(uid=b", "(uid=a\\29\\28uid=b)"},
    {"a backslash is escaped", "(uid=%u)", "\\2a", "(uid=\\5C2a)"},
    {"local part and domain are escaped", "(&(uid=%n)(o=%d))", "*@)(", "(&(uid=\\2A)(o=\\29\\28))"},
    {"a login may be a single @", "(&(uid=%n)(o=%d)(mail=%u))", "@", "(&(uid=)(o=)(mail=@))"},
};

static void test_expand(void **state)
{
    const struct expand_case *row = *state;
    char *filter = apw_filter_expand(row->template, row->login);

    assert_string_equal(filter, row->filter);
    free(filter);
}

static void test_expand_every_byte(void **state)
{
    struct apw_error error;

    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char login[] = {'a', (char)byte, 'z', '\0'};
        char *filter = apw_filter_expand("(uid=%u)", login);

        assert_non_null(filter);
        assert_int_equal(apw_filter_check(filter, false, &error), 0);
        assert_int_equal(strcspn(filter + 1, "()*"), strlen(filter) - 2);
        free(filter);
    }
}

int main(void)
{
    UNIT_ROWS(expand_cases, test_expand);
    UNIT_TEST("no byte of a login ends a filter", test_expand_every_byte);
    return unit_run();
}
