/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes that a filter reads. */
#include "doctor/names.h"
#include "unit.h"

static const struct filter_case {
    const char *name;
    const char *filter;
    const char *names; /* each with a space behind it */
} filters[] = {
    {"one comparison", "(uid=%u)", "uid "},
    {"several, in their order", "(|(uid=%u)(mail=%u))", "uid mail "},
    {"one name in two cases, once", "(&(Mail=%u)(mail=*))", "Mail "},
    {"nested", "(&(!(a=1))(|(b=2)(c=3)))", "a b c "},
    {"every comparison", "(|(a>=1)(b<=2)(c~=3)(d:=4)(e;lang-de=5))", "a b c d e "},
    {"an OID", "(2.5.4.3=x)", "2.5.4.3 "},
    {"an escaped parenthesis in a value", "(cn=\\28uid=x\\29)", "cn "},
    {"a rule without an attribute", "(:caseExactMatch:=x)", ""},
    {"no filter", "uid=%u", ""},
    {"cut off after the name", "(uid", ""},
    {"cut off after the parenthesis", "(", ""},
    {"nothing", "", ""},
};

static void test_filter(void **state)
{
    const struct filter_case *row = *state;
    char *filter = unit_copy(row->filter, strlen(row->filter) + 1);
    struct apw_doctor_names names = {.count = 0};
    char found[256] = "";

    apw_doctor_names_add_filter(&names, filter);
    for (size_t i = 0; i < names.count; i++) {
        strcat(found, names.name[i]);
        strcat(found, " ");
    }
    assert_string_equal(found, row->names);
    free(filter);
}

static void test_many(void **state)
{
    struct apw_doctor_names names = {.count = 0};
    char name[APW_DOCTOR_NAME_SIZE];

    (void)state;
    for (int i = 0; i < APW_DOCTOR_NAMES_MAX + 1; i++) {
        memset(name, 'a' + i, sizeof name - 1); /* the longest that fits */
        name[sizeof name - 1] = '\0';
        apw_doctor_names_add(&names, name);
    }
    assert_int_equal(names.count, APW_DOCTOR_NAMES_MAX);
    for (int i = 0; i < APW_DOCTOR_NAMES_MAX; i++)
        assert_int_equal(strlen(names.name[i]), APW_DOCTOR_NAME_SIZE - 1);
}

static void test_long(void **state)
{
    struct apw_doctor_names names = {.count = 0};
    char *name = unit_repeat("x", APW_DOCTOR_NAME_SIZE);

    (void)state;
    apw_doctor_names_add(&names, name);
    assert_int_equal(names.count, 0);
    free(name);
}

int main(void)
{
    UNIT_ROWS(filters, test_filter);
    UNIT_TEST("names beyond the maximum are left out", test_many);
    UNIT_TEST("a name that is too long is left out", test_long);
    return unit_run();
}
