/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tombstones stay, and which go with the next write. */
#include "revoke_plan.h"
#include "unit.h"

#define NOW        INT64_C(1800000000)
#define DAY        INT64_C(86400)
#define STONES_MAX 600

static struct apw_tombstone stones[STONES_MAX];
static struct apw_managed_password passwords[2];
static struct apw_user user = {.tombstone = stones, .password = passwords};

/* `count` tombstones, the newest `newest` days old, each of the others a minute older. */
static void bury(size_t count, int64_t newest)
{
    static const char symbols[] = "0123456789abcdefghjkmnpqrstvwxyz";

    for (size_t i = 0; i < count; i++) {
        stones[i] = (struct apw_tombstone){.created = NOW - 1000 * DAY,
                                           .revoked = NOW - newest * DAY - (int64_t)i * 60,
                                           .label = "x"};
        snprintf(stones[i].id, sizeof stones[i].id, "00%c%c", symbols[i / 32], symbols[i % 32]);
    }
    user.tombstone_count = count;
}

static void make(size_t count)
{
    static char values[2][64];

    memset(passwords, 0, sizeof passwords);
    for (size_t i = 0; i < count; i++) {
        snprintf(values[i], sizeof values[i], "id=zzz%zu broken", i);
        passwords[i].value = values[i];
        passwords[i].length = strlen(values[i]);
        snprintf(passwords[i].id, sizeof passwords[i].id, "zzz%zu", i);
    }
    user.password_count = count;
}

static const struct prune_case {
    const char *name;
    size_t count;
    int64_t age; /* in days, of the newest */
    size_t deleted;
} prunes[] = {
    {"without tombstones there is nothing to do", 0, 0, 0},
    {"20 old ones stay", 20, 5000, 0},
    {"of 21 old ones the oldest goes", 21, 5000, 1},
    {"of 100 old ones 80 go", 100, 5000, 80},
    {"100 young ones stay", 100, 0, 0},
    {"100 of 399 days stay", 100, 399, 0},
    {"of 100 of 400 days 80 go", 100, 400, 80},
    {"500 young ones stay", 500, 0, 0},
    {"of 501 young ones the oldest goes", 501, 0, 1},
};

static void test_prune(void **state)
{
    const struct prune_case *row = *state;
    struct apw_revoke_plan plan;
    struct apw_error error;

    bury(row->count, row->age);
    make(0);
    assert_int_equal(apw_revoke_plan_prune(&user, NOW, &plan, &error), APW_MANAGE_DONE);
    assert_int_equal(plan.count, row->deleted);
    for (size_t i = 0; i < plan.count; i++) {
        assert_int_equal(plan.change[i].kind, APW_CHANGE_DELETE);
        assert_string_equal(plan.change[i].attribute, "appPassword");
        assert_non_null(strstr(plan.change[i].value,
                               stones[row->count - row->deleted + i].id)); /* the oldest */
    }
    apw_revoke_plan_clear(&plan);
}

static size_t count_changes(const struct apw_revoke_plan *plan, enum apw_change_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += plan->change[i].kind == kind;
    return count;
}

static void test_one(void **state)
{
    struct apw_revoke_plan plan;
    struct apw_error error;

    (void)state;
    bury(20, 5000);
    make(2);
    assert_int_equal(apw_revoke_plan_one(&user, "zzz1", NOW, &plan, &error), APW_MANAGE_DONE);
    assert_int_equal(plan.revoked, 1);
    assert_int_equal(count_changes(&plan, APW_CHANGE_ADD), 1);
    assert_int_equal(count_changes(&plan, APW_CHANGE_DELETE), 2); /* it, and the oldest stone */
    assert_string_equal(plan.change[0].value, "id=zzz1 broken");
    assert_string_equal(plan.change[1].value, "id=zzz1 created=20270115080000Z "
                                              "revoked=20270115080000Z label=(unreadable)");
    assert_non_null(strstr(plan.change[2].value, stones[19].id));
    apw_revoke_plan_clear(&plan);
}

static void test_all(void **state)
{
    struct apw_revoke_plan plan;
    struct apw_error error;

    (void)state;
    bury(30, 5000);
    make(2);
    assert_int_equal(apw_revoke_plan_all(&user, NOW, &plan, &error), APW_MANAGE_DONE);
    assert_int_equal(plan.revoked, 2);
    assert_int_equal(plan.change[0].kind, APW_CHANGE_DELETE);
    assert_null(plan.change[0].value);
    assert_int_equal(count_changes(&plan, APW_CHANGE_DELETE), 1);
    assert_int_equal(count_changes(&plan, APW_CHANGE_ADD), 20); /* two of them new */
    assert_int_equal(plan.count, 21);
    assert_non_null(strstr(plan.change[3].value, stones[0].id));
    assert_non_null(strstr(plan.change[20].value, stones[17].id));
    apw_revoke_plan_clear(&plan);
}

static void test_nul(void **state)
{
    struct apw_revoke_plan plan;
    struct apw_error error;

    (void)state;
    bury(0, 0);
    make(1);
    passwords[0].value[7] = '\0';
    assert_int_equal(apw_revoke_plan_one(&user, "zzz0", NOW, &plan, &error), APW_MANAGE_REFUSED);
    assert_contains(error.text, "NUL");
    assert_int_equal(plan.count, 0);
    assert_int_equal(apw_revoke_plan_all(&user, NOW, &plan, &error), APW_MANAGE_DONE);
    assert_int_equal(plan.count, 2);
    apw_revoke_plan_clear(&plan);
}

int main(void)
{
    UNIT_ROWS(prunes, test_prune);
    UNIT_TEST("one is replaced by a tombstone, and the oldest goes", test_one);
    UNIT_TEST("all are replaced, and the newest tombstones stay", test_all);
    UNIT_TEST("a value with a NUL goes with all of them only", test_nul);
    return unit_run();
}
