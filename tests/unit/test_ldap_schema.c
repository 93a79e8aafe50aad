/* SPDX-License-Identifier: BSD-2-Clause */
/* DNs and schema definitions. */
#include "ldap/schema.h"
#include "unit.h"

static const struct dn_case {
    const char *name;
    const char *dn;
    bool is_valid;
} dns[] = {
    {"a DN", "uid=alice,ou=People,dc=example,dc=org", true},
    {"a DN with an escaped comma", "cn=Smith\\, Alice,dc=example", true},
    {"a DN with an OID", "0.9.2342.19200300.100.1.1=alice,dc=example", true},
    {"a DN with UTF-8", "cn=\xc3\x89lodie,dc=example", true},
    {"an empty text is no DN", "", false},
    {"a word is no DN", "alice", false},
    {"a text that ends in a comma is no DN", "dc=example,", false},
    {"two commas are no DN", "dc=a,,dc=b", false},
    {"a value without a type is no DN", "=a,dc=b", false},
};

static void test_dn(void **state)
{
    const struct dn_case *row = *state;

    assert_int_equal(apw_schema_is_dn(row->dn), row->is_valid);
}

/* The broken ones end too early, in memory of exactly their size. */
static void test_schema(void **state)
{
    static const char *const broken[] = {"", "(", "( 1.2 NAME", "(8SYNTAX)", "( 1.2 SYNTAX "};
    struct apw_schema_element element;

    (void)state;
    assert_int_equal(
        apw_schema_parse("( 1.2 NAME 'a' EQUALITY caseExactMatch SYNTAX 1.3{5} )", false, &element),
        0);
    assert_string_equal(element.oid, "1.2");
    assert_string_equal(element.equality, "caseExactMatch");
    assert_string_equal(element.syntax, "1.3");
    assert_int_equal(apw_schema_parse("( 1.3 NAME 'b' AUXILIARY MAY a )", true, &element), 0);
    assert_string_equal(element.oid, "1.3");
    for (size_t i = 0; i < UNIT_COUNT(broken); i++) {
        char *copy = unit_copy(broken[i], strlen(broken[i]) + 1);

        __lsan_disable(); /* libldap 2.5 leaks the part before the error */
        assert_int_equal(apw_schema_parse(copy, false, &element), -1);
        __lsan_enable();
        free(copy);
    }
}

int main(void)
{
    UNIT_ROWS(dns, test_dn);
    UNIT_TEST("a schema definition is read, a broken one is not", test_schema);
    return unit_run();
}
