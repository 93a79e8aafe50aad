/* SPDX-License-Identifier: BSD-2-Clause */
/* When app passwords end under max_lifetime. Whole files with its keys: test_config.c. */
#include "policy.h"
#include "unit.h"

#define MADE INT64_C(1798761600)
#define YEAR (365 * 86400)

static const struct row {
    const char *name;
    int64_t max_lifetime;
    bool has_expires;
    int64_t expires;
    int64_t end;
    bool is_capped;
} rows[] = {
    {"without max_lifetime, one without an end has none", 0, false, 0, APW_POLICY_NEVER, false},
    {"without max_lifetime, one ends when it says", 0, true, MADE + 5, MADE + 5, false},
    {"one without an end ends after max_lifetime", YEAR, false, 0, MADE + YEAR, true},
    {"one a second too long is shortened", YEAR, true, MADE + YEAR + 1, MADE + YEAR, true},
    {"one as long as allowed keeps its end", YEAR, true, MADE + YEAR, MADE + YEAR, false},
    {"one that is shorter keeps its end", YEAR, true, MADE + 5, MADE + 5, false},
    {"one of the year 9999 is shortened", YEAR, true, INT64_C(253402300799), MADE + YEAR, true},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    const struct apw_config config = {.max_lifetime_s = row->max_lifetime};
    struct apw_record record = {
        .created = MADE, .has_expires = row->has_expires, .expires = row->expires};

    assert_true(apw_policy_end(&config, &record) == row->end);
    assert_int_equal(apw_policy_cap(&config, &record), row->is_capped);
    assert_int_equal(record.has_expires, row->end != APW_POLICY_NEVER);
    assert_true(!record.has_expires || record.expires == row->end);
    assert_true(apw_policy_end(&config, &record) == row->end);
    assert_false(apw_policy_cap(&config, &record));
}

static void test_default(void **state)
{
    struct apw_config config = {.default_expires_s = 0};

    (void)state;
    assert_true(apw_policy_default(&config, MADE) == APW_POLICY_NEVER);
    assert_true(apw_policy_latest(&config, MADE) == APW_POLICY_NEVER);
    config.default_expires_s = 90;
    config.max_lifetime_s = YEAR;
    assert_true(apw_policy_default(&config, MADE) == MADE + 90);
    assert_true(apw_policy_latest(&config, MADE) == MADE + YEAR);
}

int main(void)
{
    UNIT_ROWS(rows, test_row);
    UNIT_TEST("the end of one that names none", test_default);
    return unit_run();
}
