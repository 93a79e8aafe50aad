/* SPDX-License-Identifier: BSD-2-Clause */
/* Which app passwords are expired or expiring. */

#include "finding.h"
#include "unit.h"

#define NOW    INT64_C(1798761600)
#define PERIOD 1000

struct row {
    const char *name;
    struct apw_managed_password password;
    bool is_expired;
    bool is_expiring;
};

static const struct row rows[] = {
    {"one that ends now is expired", {.end = NOW}, true, false},
    {"one that ended before", {.end = NOW - 1}, true, false},
    {"one that ends in a second", {.end = NOW + 1}, false, true},
    {"one that ends at the end of the period", {.end = NOW + PERIOD}, false, true},
    {"one that ends after it", {.end = NOW + PERIOD + 1}, false, false},
    {"one without an end", {.end = INT64_MAX}, false, false},
};

static void test_findings(void **state)
{
    const struct row *row = *state;

    assert_int_equal(apw_finding_is_expired(&row->password, NOW), row->is_expired);
    assert_int_equal(apw_finding_is_expiring(&row->password, NOW, PERIOD), row->is_expiring);
}

static const struct exceeding_row {
    const char *name;
    struct apw_managed_password password;
    bool is_exceeding;
} exceeding[] = {
    {"one without an end would have one",
     {.is_usable = true, .end = INT64_MAX, .record = {.created = NOW}},
     true},
    {"one that would end a second earlier",
     {.is_usable = true, .end = NOW + PERIOD + 1, .record = {.created = NOW}},
     true},
    {"one that would end just then does not exceed",
     {.is_usable = true, .end = NOW + PERIOD, .record = {.created = NOW}},
     false},
    {"one that has ended does not exceed",
     {.is_usable = true, .end = NOW, .record = {.created = NOW - 2 * PERIOD}},
     false},
    {"one that would have ended already",
     {.is_usable = true, .end = NOW + 1, .record = {.created = NOW - 2 * PERIOD}},
     true},
    {"one that is unusable does not exceed",
     {.is_usable = false, .end = INT64_MAX, .record = {.created = NOW}},
     false},
};

static void test_exceeding(void **state)
{
    const struct exceeding_row *row = *state;
    int64_t end;

    assert_int_equal(apw_finding_exceeds(&row->password, NOW, PERIOD, &end), row->is_exceeding);
    if (row->is_exceeding)
        assert_true(end == row->password.record.created + PERIOD);
}

int main(void)
{
    UNIT_ROWS(exceeding, test_exceeding);
    UNIT_ROWS(rows, test_findings);
    return unit_run();
}
