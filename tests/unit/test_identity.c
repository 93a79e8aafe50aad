/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity of a program at the directory. */
#include "identity.h"
#include "unit.h"

#define DN "cn=mail,dc=example,dc=org"

static const struct check_case {
    const char *name;
    struct apw_identity identity;
    const char *error; /* NULL: it is complete */
} check_cases[] = {
    {"a DN and a password are complete", {.dn = (char *)DN, .password = (char *)"secret"}, NULL},
    {"bind external is complete", {.method = APW_BIND_EXTERNAL}, NULL},
    {"nothing is incomplete", {.dn = NULL}, "x.conf: binddn is missing (or \"bind external\""},
    {"a DN alone is incomplete", {.dn = (char *)DN}, "x.conf: bindpw_file is missing"},
    {"a password alone is incomplete", {.password = (char *)"secret"}, "x.conf: binddn is missing"},
    {"bind external excludes a DN",
     {.method = APW_BIND_EXTERNAL, .dn = (char *)DN},
     "x.conf: \"bind external\" excludes"},
    {"bind external excludes a password",
     {.method = APW_BIND_EXTERNAL, .password = (char *)"secret"},
     "x.conf: \"bind external\" excludes"},
    {"bind gssapi is complete", {.method = APW_BIND_GSSAPI}, NULL},
    {"bind gssapi excludes a DN",
     {.method = APW_BIND_GSSAPI, .dn = (char *)DN},
     "x.conf: \"bind gssapi\" excludes"},
};

static void test_check(void **state)
{
    const struct check_case *row = *state;
    struct apw_error error = {""};

    assert_int_equal(apw_identity_check(&row->identity, "x.conf", &error),
                     row->error == NULL ? 0 : -1);
    if (row->error != NULL)
        assert_contains(error.text, row->error);
}

static void test_set_dn(void **state)
{
    struct apw_identity identity = {.dn = NULL};
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_identity_set_dn(&identity, "mail", &error), -1);
    assert_contains(error.text, "\"mail\" is not a DN");
    assert_null(identity.dn);
    assert_int_equal(apw_identity_set_dn(&identity, DN, &error), 0);
    assert_string_equal(identity.dn, DN);
    apw_identity_wipe(&identity);
    assert_null(identity.dn);
}

static void test_set_password_file(void **state)
{
    struct apw_identity identity = {.dn = NULL};
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    (void)state;
    unit_write(unit_path("password", path), "secret word\n", 12);
    assert_int_equal(apw_identity_set_password_file(&identity, path, &error), 0);
    assert_string_equal(identity.password, "secret word");
    assert_string_equal(identity.password_file, path);
    apw_identity_wipe(&identity);
    assert_null(identity.password);
    assert_null(identity.password_file);
}

static void test_bad_password_file(void **state)
{
    struct apw_identity identity = {.dn = NULL};
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    (void)state;
    assert_int_equal(apw_identity_set_password_file(&identity, "password", &error), -1);
    assert_contains(error.text, "\"password\" is not an absolute path");
    assert_null(identity.password);
    assert_int_equal(apw_identity_set_password_file(&identity, unit_path("none", path), &error),
                     -1);
    assert_contains(error.text, "/none: No such file");
    assert_null(identity.password);
    apw_identity_wipe(&identity);
}

static void test_copy(void **state)
{
    struct apw_identity identity = {.dn = (char *)DN, .password = (char *)"secret"},
                        copy = {.dn = NULL};
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_identity_copy(&identity, &copy, &error), 0);
    assert_int_equal(copy.method, APW_BIND_SIMPLE);
    assert_string_equal(copy.dn, DN);
    assert_ptr_not_equal(copy.dn, identity.dn);
    assert_string_equal(copy.password, "secret");
    assert_ptr_not_equal(copy.password, identity.password);
    apw_identity_wipe(&copy);

    identity.password = (char *)""; /* would be an anonymous bind */
    assert_int_equal(apw_identity_copy(&identity, &copy, &error), -1);
    assert_contains(error.text, "the password of " DN " is empty");
    apw_identity_wipe(&copy);

    identity.password = NULL; /* nobody typed it */
    assert_int_equal(apw_identity_copy(&identity, &copy, &error), -1);
    assert_contains(error.text, "without a password");

    identity = (struct apw_identity){.method = APW_BIND_EXTERNAL};
    assert_int_equal(apw_identity_copy(&identity, &copy, &error), 0);
    assert_int_equal(copy.method, APW_BIND_EXTERNAL);
    assert_null(copy.dn);
    assert_null(copy.password);
}

int main(void)
{
    UNIT_ROWS(check_cases, test_check);
    UNIT_TEST("only a DN is accepted as a DN", test_set_dn);
    UNIT_TEST("a password file is read at once", test_set_password_file);
    UNIT_TEST("a password file that cannot be read is an error", test_bad_password_file);
    UNIT_TEST("a copy is independent, and an empty password is rejected", test_copy);
    return unit_run();
}
