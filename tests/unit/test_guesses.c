/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong second factors of an account: what is stored, how values are added, and the link. */
#include "guesses.h"
#include "unit.h"
#include <sodium.h>
#include <time.h>

#define DAY  "20261129000000Z"
#define DAYS 20786 /* the same */
#define LINK "AAAAAAAAAAAAAAAAAAAAAA"

static const struct value_case {
    const char *value;
    struct apw_guesses guesses;
} values[] = {
    {"guesses day=" DAY " count=0", {.day = DAYS}},
    {"guesses day=" DAY " count=12", {.day = DAYS, .count = 12}},
    {"guesses day=" DAY " count=9999 told=" DAY, {.day = DAYS, .count = 9999, .told = DAYS}},
    {"guesses day=" DAY " count=50 told=" DAY " link=" LINK,
     {.day = DAYS, .count = 50, .told = DAYS, .link = LINK}},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    struct apw_error error = {""};
    char value[APW_GUESSES_VALUE_SIZE], *copy = unit_copy(row->value, strlen(row->value));
    struct apw_guesses guesses;

    assert_int_equal(apw_guesses_format(&row->guesses, value, &error), 0);
    assert_string_equal(value, row->value);
    assert_true(apw_guesses_is_value(copy, strlen(row->value)));
    assert_int_equal(apw_guesses_parse(copy, strlen(row->value), &guesses, &error), 0);
    assert_memory_equal(&guesses, &row->guesses, sizeof guesses);
    free(copy);
}

static const char *const damaged[] = {
    "",
    "guesses",
    "sealed=AAAA",
    "code created=" DAY,
    "guesses ",
    "guesses day=" DAY,
    "guesses count=1 day=" DAY,
    "guesses day=" DAY " count=",
    "guesses day=" DAY " count=-1",
    "guesses day=" DAY " count=10000",
    "guesses day=" DAY " count=1x",
    "guesses day=20261129000001Z count=1",
    "guesses day=19700101000000Z count=1",
    "guesses day=yesterday count=1",
    "guesses day=" DAY " count=1 told=never",
    "guesses day=" DAY " count=1 link=",
    "guesses day=" DAY " count=1 link=" LINK "A",
    "guesses day=" DAY " count=1 link=AAAA",
    "guesses day=" DAY " count=1 link=" LINK " told=" DAY,
    "guesses day=" DAY " count=1 other=x",
};

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(damaged); i++) {
        struct apw_error error = {""};
        char *copy = unit_copy(damaged[i], strlen(damaged[i]));
        struct apw_guesses guesses;

        memset(&guesses, 0xff, sizeof guesses);
        assert_int_equal(apw_guesses_parse(copy, strlen(damaged[i]), &guesses, &error), -1);
        assert_true(unit_is_zero(&guesses, sizeof guesses));
        assert_contains(error.text, "count of guesses");
        free(copy);
    }
}

static const struct entry_case {
    const char *name;
    const char *values[4];
    bool is_damaged;
    struct apw_guesses sum;
} entries[] = {
    {"an entry without a count has none", {"sealed=AAAA"}, false, {.day = 0}},
    {"two of one day are added",
     {"guesses day=" DAY " count=12", "sealed=A", "guesses day=" DAY " count=30"},
     false,
     {.day = DAYS, .count = 42}},
    {"an older day does not count",
     {"guesses day=20261128000000Z count=49", "guesses day=" DAY " count=1"},
     false,
     {.day = DAYS, .count = 1}},
    {"the newest link counts",
     {"guesses day=" DAY " count=1 told=20261128000000Z link=" LINK,
      "guesses day=" DAY " count=1 told=" DAY " link=BAAAAAAAAAAAAAAAAAAAAA"},
     false,
     {.day = DAYS, .count = 2, .told = DAYS, .link = "BAAAAAAAAAAAAAAAAAAAAA"}},
    {"beside a damaged one nobody knows how many there were",
     {"guesses day=" DAY " count=1", "guesses day=" DAY},
     true,
     {.day = 0}},
};

static void test_entry(void **state)
{
    const struct entry_case *row = *state;
    struct apw_value value[4];
    struct apw_user user = {.dn = (char *)"uid=alice", .method = {.value = value}};
    struct apw_error error = {""};
    struct apw_guesses sum;

    for (size_t i = 0; i < UNIT_COUNT(row->values) && row->values[i] != NULL; i++) {
        value[i].bytes = (char *)row->values[i];
        value[i].length = strlen(row->values[i]);
        user.method.count++;
    }
    assert_int_equal(apw_guesses_read(&user, &sum, &error), row->is_damaged ? -1 : 0);
    if (row->is_damaged)
        assert_contains(error.text,
                        "uid=alice: malformed count of guesses; app-password mfa reset");
    else
        assert_memory_equal(&sum, &row->sum, sizeof sum);
}

static void test_link(void **state)
{
    int64_t today = (int64_t)time(NULL) / 86400;
    struct apw_guesses guesses = {.day = today, .count = 10}, before;
    char token[APW_GUESSES_TOKEN_SIZE], next[APW_GUESSES_TOKEN_SIZE], wrong[64];

    (void)state;
    assert_false(apw_guesses_use_link(&guesses, ""));
    assert_false(apw_guesses_use_link(&guesses, LINK));
    apw_guesses_make_link(&guesses, token);
    assert_int_equal(strlen(token), 22);
    assert_string_not_equal(token, guesses.link); /* the entry does not give it away */
    before = guesses;
    for (size_t i = 0; i < strlen(token); i++) {
        strcpy(wrong, token);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        assert_false(apw_guesses_use_link(&guesses, wrong));
    }
    snprintf(wrong, sizeof wrong, "%sA", token);
    assert_false(apw_guesses_use_link(&guesses, wrong));
    assert_false(apw_guesses_use_link(&guesses, guesses.link));
    assert_false(apw_guesses_use_link(&guesses, ""));
    guesses.told = today - 8;
    assert_false(apw_guesses_use_link(&guesses, token)); /* too old */
    guesses.told = today - 6;
    assert_true(apw_guesses_use_link(&guesses, token));
    assert_false(apw_guesses_use_link(&guesses, token)); /* once */
    guesses = before;
    apw_guesses_make_link(&guesses, next);
    assert_false(apw_guesses_use_link(&guesses, token)); /* the next one takes its place */
    assert_true(apw_guesses_use_link(&guesses, next));
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(values, test_value);
    UNIT_TEST("what is damaged is refused", test_damaged);
    UNIT_ROWS(entries, test_entry);
    UNIT_TEST("a link works once, for seven days, and only the last one", test_link);
    return unit_run();
}
