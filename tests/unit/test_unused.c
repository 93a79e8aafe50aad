/* SPDX-License-Identifier: BSD-2-Clause */
/* Which app passwords nobody uses, and when they are revoked for it. */
#include "policy.h"
#include "unit.h"
#include "unused.h"

#define NOW    INT64_C(1798761600)
#define PERIOD 1000

struct row {
    const char *name;
    struct apw_managed_password password;
    int64_t since;
    bool is_unused;
};

#define GOOD(made) .id = "k7q2", .is_usable = true, .record = {.created = (made)}
#define ENDLESS    .end = APW_POLICY_NEVER
#define USED(when) .has_use = true, .use = {.at = (when)}
#define OLD        NOW - PERIOD - 1

static const struct row rows[] = {
    {"a new one", {GOOD(NOW), ENDLESS}, NOW, false},
    {"one that is old and never used", {GOOD(OLD), ENDLESS}, OLD, true},
    {"one as old as the period", {GOOD(NOW - PERIOD), ENDLESS}, NOW - PERIOD, true},
    {"one a second younger", {GOOD(NOW - PERIOD + 1), ENDLESS}, NOW - PERIOD + 1, false},
    {"one used within the period",
     {GOOD(OLD), ENDLESS, USED(NOW - PERIOD + 1)},
     NOW - PERIOD + 1,
     false},
    {"one used at its start", {GOOD(OLD), ENDLESS, USED(NOW - PERIOD)}, NOW - PERIOD, true},
    {"a use before its creation is of another one",
     {GOOD(NOW - PERIOD + 1), ENDLESS, USED(OLD)},
     NOW - PERIOD + 1,
     false},
    {"one used in the future", {GOOD(OLD), ENDLESS, USED(NOW + 1)}, NOW + 1, false},
    {"one that has ended is not unused", {GOOD(OLD), .end = NOW}, APW_POLICY_NEVER, false},
    {"one that ends in a second is", {GOOD(OLD), .end = NOW + 1}, OLD, true},
    {"one that cannot be used is not unused",
     {.id = "k7q2", .record = {.created = OLD}, ENDLESS},
     APW_POLICY_NEVER,
     false},
    {"one made before the password changed is not",
     {GOOD(OLD), ENDLESS, .is_outdated = true},
     APW_POLICY_NEVER,
     false},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    const struct apw_user user = {.use_count = 0};
    const struct apw_config off = {.revoke_unused_s = 0}, on = {.revoke_unused_s = PERIOD};
    int64_t end = apw_unused_end(&on, &user, &row->password, NOW);

    assert_true(apw_unused_since(&user, &row->password, NOW) == row->since);
    assert_int_equal(apw_unused_is(&user, &row->password, NOW, PERIOD), row->is_unused);
    assert_true(end == (row->since == APW_POLICY_NEVER ? APW_POLICY_NEVER : row->since + PERIOD));
    assert_int_equal(end <= NOW, row->is_unused);
    assert_true(apw_unused_end(&off, &user, &row->password, NOW) == APW_POLICY_NEVER);
}

static void test_unreadable_use(void **state)
{
    struct apw_use use = {.id = "k7q2", .at = INT64_MIN};
    const struct apw_user user = {.use_count = 1, .use = &use};
    const struct apw_managed_password password = {GOOD(OLD), ENDLESS};

    (void)state;
    assert_false(apw_unused_is(&user, &password, NOW, PERIOD));
    strcpy(use.id, "zzzz");
    assert_true(apw_unused_is(&user, &password, NOW, PERIOD));
}

int main(void)
{
    UNIT_ROWS(rows, test_row);
    UNIT_TEST("one with a use that cannot be read is not unused", test_unreadable_use);
    return unit_run();
}
