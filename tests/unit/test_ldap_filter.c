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
    {"%t is the part before the @ without a tag", "(uid=%t)", "alice+news@example.org",
     "(uid=alice)"},
    {"%t ends at the first plus", "(uid=%t)", "alice+a+b", "(uid=alice)"},
    {"%t without a tag is %n", "(uid=%t)", "alice@a+b.example", "(uid=alice)"},
    {"%t keeps a plus in front", "(uid=%t)", "+alice", "(uid=+alice)"},
    {"%t keeps a plus in front and drops a tag", "(uid=%t)", "++a@example.org", "(uid=+)"},
    {"%t of nothing is nothing", "(uid=%t)", "@example.org", "(uid=)"},
    {"%t is escaped", "(uid=%t)", "*)+x", "(uid=\\2A\\29)"},
    {"%b is the part after the backslash", "(uid=%b)", "EXAMPLE\\alice", "(uid=alice)"},
    {"%b without a backslash is %n", "(uid=%b)", "alice@example.org", "(uid=alice)"},
    {"%b with a trailing domain", "(uid=%b)", "EXAMPLE\\alice@example.org", "(uid=alice)"},
    {"%b leaves further backslashes, escaped", "(uid=%b)", "EXAMPLE\\al\\ice", "(uid=al\\5Cice)"},
    {"%b with nothing after the backslash", "(uid=%b)", "EXAMPLE\\", "(uid=)"},
    {"a backslash in the domain does not separate", "(uid=%b)", "alice@a\\b", "(uid=alice)"},
    {"an internationalized domain is also looked for in A-labels", "(mail=%u)",
     "alice@b\xc3\xbc"
     "cher.example",
     "(|(mail=alice@b\\C3\\BCcher.example)(mail=alice@xn--bcher-kva.example))"},
    {"in every part", "(&(uid=%n)(o=%d))",
     "a@B\xc3\x9c"
     "cher.example",
     "(|(&(uid=a)(o=B\\C3\\9Ccher.example))(&(uid=a)(o=xn--bcher-kva.example)))"},
    {"sharp s stays itself", "(o=%d)",
     "a@stra\xc3\x9f"
     "e.example",
     "(|(o=stra\\C3\\9Fe.example)(o=xn--strae-oqa.example))"},
    {"a decomposed letter is the same domain", "(o=%d)",
     "a@bu\xcc\x88"
     "cher.example",
     "(|(o=bu\\CC\\88cher.example)(o=xn--bcher-kva.example))"},
    {"the A-labels have the same local part", "(uid=%t)",
     "a+b@b\xc3\xbc"
     "cher.example",
     "(|(uid=a)(uid=a))"},
    {"A-labels are not looked for in another form", "(mail=%u)", "alice@xn--bcher-kva.example",
     "(mail=alice@xn--bcher-kva.example)"},
    {"a local part beyond ASCII has no other form", "(mail=%u)", "z\xc3\xab@example.org",
     "(mail=z\\C3\\AB@example.org)"},
    {"a domain that cannot be one has no other form", "(mail=%u)", "a@\xe2\x80\x80.example",
     "(mail=a@\\E2\\80\\80.example)"},
    {"nor one with a full-width parenthesis", "(mail=%u)", "a@b\xef\xbc\x88.example",
     "(mail=a@b\\EF\\BC\\88.example)"},
    {"nor a domain that is not UTF-8", "(mail=%u)", "a@b\xfc.example", "(mail=a@b\\FC.example)"},
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

static const struct any_case {
    const char *name;
    const char *template;
    const char *filter;
} any_cases[] = {
    {"any login", "(uid=%u)", "(uid=*)"},
    {"beside other conditions", "(&(objectClass=person)(|(uid=%n)(mail=%u)))",
     "(&(objectClass=person)(|(uid=*)(mail=*)))"},
    {"any local part", "(mail=%n@example.org)", "(mail=*@example.org)"},
    {"any address", "(mail=%n@%d)", "(mail=*@*)"},
    {"asterisks side by side are one", "(cn=*%n%d*)", "(cn=*)"},
    {"a percent sign", "(&(uid=%u)(cn=%%))", "(&(uid=*)(cn=%))"},
};

static void test_expand_any(void **state)
{
    const struct any_case *row = *state;
    char *filter = apw_filter_expand_any(row->template);
    struct apw_error error;

    assert_string_equal(filter, row->filter);
    assert_int_equal(apw_filter_check(filter, false, &error), 0);
    free(filter);
}

int main(void)
{
    UNIT_ROWS(any_cases, test_expand_any);
    UNIT_ROWS(expand_cases, test_expand);
    UNIT_TEST("no byte of a login ends a filter", test_expand_every_byte);
    return unit_run();
}
