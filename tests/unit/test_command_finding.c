/* SPDX-License-Identifier: BSD-2-Clause */
/* Which app passwords are expired, expiring or unused. */

#include "finding.h"
#include "unit.h"
#include "use.h"

#define NOW    INT64_C(1798761600)
#define PERIOD 1000

struct row {
    const char *name;
    struct apw_managed_password password;
    bool is_expired;
    bool is_expiring;
    bool is_unused;
};

#define RECORD(...) .id = "k7q2", .has_record = true, .is_usable = true, .record = {__VA_ARGS__}
#define OLD         .created = NOW - PERIOD - 1
#define UNTIL       .has_expires = true, .expires

static const struct row rows[] = {
    {"one without an end that is new", {RECORD(.created = NOW)}, false, false, false},
    {"one that is old and never used", {RECORD(OLD)}, false, false, true},
    {"one as old as the period", {RECORD(.created = NOW - PERIOD)}, false, false, true},
    {"one a second younger", {RECORD(.created = NOW - PERIOD + 1)}, false, false, false},
    {"one used within the period",
     {RECORD(OLD), .has_use = true, .use = {.at = NOW - PERIOD + 1}},
     false,
     false,
     false},
    {"one used before the period",
     {RECORD(OLD), .has_use = true, .use = {.at = NOW - PERIOD}},
     false,
     false,
     true},
    {"one that expires now is expired", {RECORD(OLD, UNTIL = NOW)}, true, false, false},
    {"one that expires in a second", {RECORD(.created = NOW, UNTIL = NOW + 1)}, false, true, false},
    {"one that expires at the end of the period",
     {RECORD(.created = NOW, UNTIL = NOW + PERIOD)},
     false,
     true,
     false},
    {"one that expires after it",
     {RECORD(.created = NOW, UNTIL = NOW + PERIOD + 1)},
     false,
     false,
     false},
    {"one that is unusable is not unused",
     {.id = "k7q2", .has_record = true, .record = {OLD}},
     false,
     false,
     false},
    {"one that cannot be read is nothing", {.id = "k7q2"}, false, false, false},
};

static void test_findings(void **state)
{
    const struct row *row = *state;
    const struct apw_user user = {.use_count = 0};

    assert_int_equal(apw_finding_is_expired(&row->password, NOW), row->is_expired);
    assert_int_equal(apw_finding_is_expiring(&row->password, NOW, PERIOD), row->is_expiring);
    assert_int_equal(apw_finding_is_unused(&user, &row->password, NOW, PERIOD), row->is_unused);
}

static void test_unreadable_use(void **state)
{
    struct apw_use use = {.id = "k7q2", .at = INT64_MIN};
    const struct apw_user user = {.use_count = 1, .use = &use};
    const struct apw_managed_password password = {RECORD(OLD)};

    (void)state;
    assert_false(apw_finding_is_unused(&user, &password, NOW, PERIOD));
    strcpy(use.id, "zzzz");
    assert_true(apw_finding_is_unused(&user, &password, NOW, PERIOD));
}

int main(void)
{
    UNIT_ROWS(rows, test_findings);
    UNIT_TEST("one with a use that cannot be read is not unused", test_unreadable_use);
    return unit_run();
}
