/* SPDX-License-Identifier: BSD-2-Clause */
/* The app passwords of a user as columns, and as JSON. */

#include "capture.h"
#include "json.h"
#include "policy.h"
#include "table.h"

#define CREATED INT64_C(1798761600) /* 2027-01-01T00:00:00Z */

static struct apw_managed_password passwords[] = {
    {.id = "a1b2",
     .has_record = true,
     .is_usable = true,
     .end = APW_POLICY_NEVER,
     .record = {.id = "a1b2", .label = "Gr\xc3\xb6\xc3\x9f\x65", .created = CREATED}},
    {.id = "c3d4",
     .has_record = true,
     .is_usable = true,
     .end = CREATED + 90, /* by max_lifetime */
     .record = {.id = "c3d4",
                .label = "\x1b[31mred",
                .created = CREATED,
                .has_expires = true,
                .expires = CREATED + 600,
                .services = "smtp,imap",
                .from_text = "192.0.2.0/24"},
     .has_use = true,
     .use = {.at = CREATED, .service = "imap", .from = "192.0.2.7"}},
    {.id = "", .end = APW_POLICY_NEVER, .problem = {"nonsense"}},
};

static struct apw_tombstone stones[] = {
    {.id = "e5f6", .label = "\x1b[31mold", .created = CREATED, .revoked = CREATED + 3600}};

static const struct apw_user user_with_revoked = {
    .dn = (char *)"uid=alice", .name = (char *)"alice", .tombstone_count = 1, .tombstone = stones};

static const struct apw_user user = {
    .dn = (char *)"uid=alice", .name = (char *)"alice", .password_count = 3, .password = passwords};

static void test_table(void **state)
{
    static struct capture capture;
    int status;

    (void)state;
    capture_start(&capture);
    status = apw_table_print(&user);
    capture_end(&capture);
    assert_int_equal(status, 0);
    assert_contains(capture.out, "ID    LABEL     CREATED (UTC)     EXPIRES (UTC)");
    /* Two of its characters have two bytes. */
    assert_contains(capture.out, "\na1b2  Gr\xc3\xb6\xc3\x9f\x65     2027-01-01 00:00  never  ");
    assert_contains(capture.out, "\nc3d4  ?[31mred  2027-01-01 00:00  2027-01-01 00:01");
    assert_contains(capture.out, "  smtp,imap  192.0.2.0/24  2027-01-01 00:00 imap 192.0.2.7\n");
    assert_contains(capture.out, "\n?     unusable: nonsense\n");
    assert_null(strchr(capture.out, '\x1b'));
}

static void test_revoked(void **state)
{
    static struct capture capture;

    (void)state;
    capture_start(&capture);
    apw_table_print_revoked(&user_with_revoked);
    capture_end(&capture);
    assert_string_equal(capture.out, "ID    CREATED (UTC)     REVOKED (UTC)     LABEL\n"
                                     "e5f6  2027-01-01 00:00  2027-01-01 01:00  ?[31mold\n");

    capture_start(&capture);
    assert_int_equal(apw_json_print(&user_with_revoked, true, false), 0);
    capture_end(&capture);
    assert_contains(capture.out, "\"id\": \"e5f6\"");
    assert_contains(capture.out, "\"created\": \"2027-01-01T00:00:00Z\"");
    assert_contains(capture.out, "\"revoked\": \"2027-01-01T01:00:00Z\"");

    capture_start(&capture);
    assert_int_equal(apw_json_print(&user_with_revoked, false, false), 0);
    capture_end(&capture);
    assert_string_equal(capture.out, "[]\n");
}

static void test_json(void **state)
{
    static struct capture capture;
    int status;

    (void)state;
    capture_start(&capture);
    status = apw_json_print(&user, false, false);
    capture_end(&capture);
    assert_int_equal(status, 0);
    assert_contains(capture.out, "\"created\": \"2027-01-01T00:00:00Z\"");
    assert_contains(capture.out, "\"expires\": null");
    assert_contains(capture.out, "\"expires\": \"2027-01-01T00:01:30Z\"");
    assert_contains(capture.out, "\"services\": null");
    assert_contains(capture.out, "\"unusable\": \"nonsense\"");
    assert_contains(capture.out, "\\u001B[31mred");
}

static void test_json_of_a_finding(void **state)
{
    static struct capture capture;
    int status;

    (void)state;
    capture_start(&capture);
    status = apw_json_print_finding("mfa-without-app-password", &user, NULL, APW_POLICY_NEVER);
    capture_end(&capture);
    assert_int_equal(status, 0);
    assert_string_equal(capture.out, "{\"finding\":\"mfa-without-app-password\",\"user\":\"alice\","
                                     "\"dn\":\"uid=alice\"}");

    capture_start(&capture);
    status = apw_json_print_finding("exceeds-max-lifetime", &user, &passwords[0], CREATED);
    capture_end(&capture);
    assert_int_equal(status, 0);
    assert_contains(capture.out, "\"expires\":null");
    assert_contains(capture.out, ",\"would_end\":\"2027-01-01T00:00:00Z\"}");
}

int main(void)
{
    UNIT_TEST("revoked ones are listed on request", test_revoked);
    UNIT_TEST("a table is aligned by characters, and printable", test_table);
    UNIT_TEST("JSON has null for missing values", test_json);
    UNIT_TEST("a finding without an app password is one object", test_json_of_a_finding);
    return unit_run();
}
