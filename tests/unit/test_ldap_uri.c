/* SPDX-License-Identifier: BSD-2-Clause */
/* LDAP URIs: which are accepted, which need TLS, and lists of them. */
#include "ldap/uri.h"
#include "unit.h"

/* ---- one URI ---- */

static const struct check_case {
    const char *name;
    const char *uri;
    bool start_tls;
    const char *error; /* NULL: it is accepted */
} check_cases[] = {
    {"ldaps is accepted", "ldaps://ldap.example.org", false, NULL},
    {"ldaps in upper case is accepted", "LDAPS://ldap.example.org", false, NULL},
    {"ldapi is accepted", "ldapi://%2Frun%2Fldapi", false, NULL},
    {"ldap with StartTLS is accepted", "ldap://ldap.example.org", true, NULL},
    {"ldap without StartTLS is rejected", "ldap://ldap.example.org", false, "in the clear"},
    {"ldap in upper case without StartTLS is rejected", "LDAP://ldap.example.org", false,
     "in the clear"},
    {"ldap to localhost is accepted", "ldap://localhost", false, NULL},
    {"ldap to localhost in upper case is accepted", "ldap://LOCALHOST", false, NULL},
    {"ldap to 127.0.0.1 is accepted", "ldap://127.0.0.1:3890", false, NULL},
    {"ldap to 127.255.255.254 is accepted", "ldap://127.255.255.254", false, NULL},
    {"ldap to ::1 is accepted", "ldap://[::1]", false, NULL},
    {"ldap to the IPv4-mapped loopback is accepted", "ldap://[::ffff:127.0.0.1]", false, NULL},
    {"ldap to the IPv4-mapped loopback in hexadecimal is accepted", "ldap://[::FFFF:7f00:1]:389",
     false, NULL},
    {"ldap to another IPv4-mapped address is rejected", "ldap://[::ffff:192.0.2.1]", false,
     "in the clear"},
    {"ldap to an IPv4-compatible 127.0.0.1 is rejected", "ldap://[::127.0.0.1]", false,
     "in the clear"},
    {"port 65535 is accepted", "ldaps://ldap.example.org:65535", false, NULL},
    {"port 65536 is rejected", "ldaps://ldap.example.org:65536", false, "port from 1 to 65535"},
    {"a base is rejected", "ldaps://ldap.example.org/dc=example", false, "base and filter"},
    {"a domain for DNS SRV records is rejected", "ldap:///dc=example,dc=org", false,
     "SRV records, which are not supported; write the servers: ldaps://ldap1.example.org"},
    {"with ldaps too", "ldaps:///dc=example,dc=org", false, "SRV records, which are not supported"},
    {"and with StartTLS", "ldap:///dc=example%2Cdc=org", true,
     "SRV records, which are not supported"},
    {"another scheme is rejected", "cldap://localhost", false, "\"cldap://localhost\" "},
    {"a host name alone is rejected", "ldap.example.org", false, "is not a URI"},
};

static void test_check(void **state)
{
    const struct check_case *row = *state;
    struct apw_error error = {""};

    assert_int_equal(apw_uri_check(row->uri, row->start_tls, &error), row->error == NULL ? 0 : -1);
    if (row->error == NULL) {
        assert_string_equal(error.text, "");
        return;
    }
    assert_contains(error.text, row->uri);
    assert_contains(error.text, row->error);
}

/* ---- what a list needs ---- */

static const struct need_case {
    const char *name;
    const char *text;
    bool start_tls;
    bool are_ldapi;
    bool need_tls;
} need_cases[] = {
    {"ldapi needs no TLS", "ldapi:///", false, true, false},
    {"LDAPI needs no TLS", "LDAPI:///", false, true, false},
    {"ldapi needs no TLS with StartTLS", "ldapi:///", true, true, false},
    {"LDAPI needs no TLS with StartTLS", "LDAPI:///", true, true, false},
    {"several ldapi URIs are all ldapi", "ldapi:/// LdapI://%2Frun%2Fldapi", false, true, false},
    {"ldap after ldapi is not ldapi", "ldapi:/// ldap://localhost", false, false, false},
    {"ldapi after ldap is not all ldapi", "ldap://localhost ldapi:///", false, false, false},
    {"ldaps needs TLS", "ldaps://a", false, false, true},
    {"LDAPS needs TLS", "LDAPS://a", false, false, true},
    {"ldap needs no TLS without StartTLS", "ldap://localhost", false, false, false},
    {"LDAP needs no TLS without StartTLS", "LDAP://localhost", false, false, false},
    {"ldap needs TLS with StartTLS", "ldap://a", true, false, true},
    {"LDAP needs TLS with StartTLS", "LDAP://a", true, false, true},
    {"one ldaps URI is enough to need TLS", "ldapi:/// ldaps://a", false, false, true},
};

static void test_need(void **state)
{
    const struct need_case *row = *state;
    struct apw_error error = {""};
    struct apw_uris uris;

    if (apw_uris_parse(row->text, row->start_tls, &uris, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(apw_uris_are_ldapi(&uris), row->are_ldapi);
    assert_int_equal(apw_uris_need_tls(&uris, row->start_tls), row->need_tls);
    apw_uris_free(&uris);
    assert_int_equal(uris.count, 0);
}

/* ---- two lists ---- */

static const struct unite_case {
    const char *name;
    const char *first;
    const char *second;
    const char *united; /* with commas */
} unite_cases[] = {
    {"two lists are joined in order", "ldaps://b ldaps://a", "ldaps://d ldaps://c",
     "ldaps://b,ldaps://a,ldaps://d,ldaps://c"},
    {"the same list is taken once", "ldaps://b ldaps://a", "ldaps://b ldaps://a",
     "ldaps://b,ldaps://a"},
    {"a URI of both lists stays where the first has it", "ldaps://b ldaps://a",
     "ldaps://c ldaps://b", "ldaps://b,ldaps://a,ldaps://c"},
    {"a URI repeated in one list is taken once", "ldaps://a ldaps://a",
     "ldaps://b ldaps://b ldaps://a", "ldaps://a,ldaps://b"},
    {"URIs that differ in case are different", "ldaps://a", "LDAPS://a ldaps://A",
     "ldaps://a,LDAPS://a,ldaps://A"},
    {"a URI that another begins with is different", "ldaps://ab", "ldaps://a",
     "ldaps://ab,ldaps://a"},
    {"two full lists have sixteen URIs",
     "ldaps://a ldaps://b ldaps://c ldaps://d ldaps://e ldaps://f ldaps://g ldaps://h",
     "ldaps://i ldaps://j ldaps://k ldaps://l ldaps://m ldaps://n ldaps://o ldaps://p",
     "ldaps://a,ldaps://b,ldaps://c,ldaps://d,ldaps://e,ldaps://f,ldaps://g,ldaps://h,"
     "ldaps://i,ldaps://j,ldaps://k,ldaps://l,ldaps://m,ldaps://n,ldaps://o,ldaps://p"},
};

static void test_unite(void **state)
{
    const struct unite_case *row = *state;
    struct apw_error error = {""};
    struct apw_uris first, second;
    char *uris[2 * APW_URIS_MAX], united[512] = "";
    size_t count;

    assert_int_equal(apw_uris_parse(row->first, false, &first, &error), 0);
    assert_int_equal(apw_uris_parse(row->second, false, &second, &error), 0);
    count = apw_uris_unite(&first, &second, uris);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(united);

        snprintf(united + length, sizeof united - length, "%s%s", i > 0 ? "," : "", uris[i]);
    }
    assert_string_equal(united, row->united);
    apw_uris_free(&first);
    apw_uris_free(&second);
}

static void test_copy(void **state)
{
    const struct apw_uris nothing = {.count = 0};
    struct apw_error error = {""};
    struct apw_uris uris, copy;

    (void)state;
    assert_int_equal(apw_uris_parse("ldaps://b LDAPI:///", false, &uris, &error), 0);
    assert_int_equal(apw_uris_copy(&uris, &copy, &error), 0);
    apw_uris_free(&uris); /* the copy does not borrow */
    assert_int_equal(copy.count, 2);
    assert_string_equal(copy.uri[0], "ldaps://b");
    assert_string_equal(copy.uri[1], "LDAPI:///");
    apw_uris_free(&copy);
    assert_int_equal(apw_uris_copy(&nothing, &copy, &error), 0);
    assert_int_equal(copy.count, 0);
    apw_uris_free(&copy);
}

int main(void)
{
    UNIT_ROWS(check_cases, test_check);
    UNIT_ROWS(need_cases, test_need);
    UNIT_ROWS(unite_cases, test_unite);
    UNIT_TEST("a list is copied whole and in order", test_copy);
    return unit_run();
}
