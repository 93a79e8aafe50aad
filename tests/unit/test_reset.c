/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets of second factors that wait: what is stored, and which of them counts when. */
#include "reset.h"
#include "unit.h"
#include <sodium.h>

#define START "reset id=k7q2 created=20261129101500Z at=20261130101500Z"
#define BY    " by=Ym9i" /* bob */
#define AT    (1795947300 + 86400)

static const struct value_case {
    const char *name;
    const char *value;
    const char *by;
    int64_t at;
} values[] = {
    {"a reset after a day", START BY, "bob", AT},
    {"a reset at once", "reset id=k7q2 created=20261129101500Z at=20261129101500Z" BY, "bob",
     1795947300},
    {"a name with spaces and other letters", START " by=S8OlcmUgTmlsc2Vu", "K\xc3\xa5re Nilsen",
     AT},
    {"a name like the rest of a value", START " by=YSBieT14", "a by=x", AT},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    char *copy = unit_copy(row->value, strlen(row->value)), again[APW_RESET_VALUE_SIZE];
    struct apw_error error = {""};
    struct apw_reset reset;

    assert_true(apw_reset_is_value(copy, strlen(row->value)));
    assert_int_equal(apw_reset_parse(copy, strlen(row->value), &reset, &error), 0);
    assert_string_equal(reset.id, "k7q2");
    assert_true(reset.created == 1795947300);
    assert_true(reset.at == row->at);
    assert_string_equal(reset.by, row->by);
    assert_int_equal(apw_reset_format(&reset, again, &error), 0);
    assert_string_equal(again, row->value);
    free(copy);
}

static void test_longest_name(void **state)
{
    struct apw_reset reset = {.id = "k7q2", .created = 0, .at = 1}, again;
    char value[APW_RESET_VALUE_SIZE];
    struct apw_error error = {""};

    (void)state;
    memset(reset.by, 'x', APW_LOGIN_BYTES_MAX);
    assert_int_equal(apw_reset_format(&reset, value, &error), 0);
    assert_int_equal(apw_reset_parse(value, strlen(value), &again, &error), 0);
    assert_memory_equal(&again, &reset, sizeof reset);
}

static const char *const damaged[] = {
    "",
    "reset",
    "reset ",
    "resets id=k7q2",
    "id=k7q2 created=20261129101500Z at=20261130101500Z" BY,
    START,
    START " by=",
    START BY " ",
    START BY BY,
    START BY " other=x",
    START " other=x" BY,
    START " by=Ym9i=",
    START " by=Ym9",
    START " by=bob!",
    START " by=YQBi", /* a NUL byte */
    START " by=YQpi", /* a line end */
    START " by=_w",   /* not UTF-8 */
    START " by=IA",   /* a space alone */
    "reset id=K7Q2 created=20261129101500Z at=20261130101500Z" BY,
    "reset id=k7q created=20261129101500Z at=20261130101500Z" BY,
    "reset created=20261129101500Z at=20261130101500Z" BY,
    "reset id=k7q2 at=20261130101500Z" BY,
    "reset id=k7q2 created=20261129101500Z" BY,
    "reset id=k7q2 created=20261129101500Z at=tomorrow" BY,
    "reset id=k7q2 created=20261130101500Z at=20261129101500Z" BY,
    "reset  id=k7q2 created=20261129101500Z at=20261130101500Z" BY,
};

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(damaged); i++) {
        char *copy = unit_copy(damaged[i], strlen(damaged[i]));
        struct apw_error error = {""};
        struct apw_reset reset;

        memset(&reset, 0xff, sizeof reset);
        assert_int_equal(apw_reset_parse(copy, strlen(damaged[i]), &reset, &error), -1);
        assert_true(unit_is_zero(&reset, sizeof reset));
        assert_string_equal(error.text, "malformed reset");
        free(copy);
    }
}

static void test_not_written(void **state)
{
    static const struct apw_reset wrong[] = {
        {.id = "k7q2", .created = 0, .at = 1, .by = ""},
        {.id = "k7q2", .created = 0, .at = 1, .by = "a\nb"},
        {.id = "k7q2", .created = 2, .at = 1, .by = "bob"},
        {.id = "", .created = 0, .at = 1, .by = "bob"},
        {.id = "k7q2", .created = 0, .at = INT64_MAX, .by = "bob"},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
        char value[APW_RESET_VALUE_SIZE];
        struct apw_error error = {""};

        assert_int_equal(apw_reset_format(&wrong[i], value, &error), -1);
    }
}

/* ---- which one counts ---- */

#define DAMAGED "reset id=k7q3"
#define LATER   "reset id=k7q4 created=20261129101500Z at=20261202101500Z" BY
#define CODE    "code created=20261122101500Z expires=20261129101500Z hash=x"

static const struct time_case {
    const char *name;
    const char *value[3];
    int64_t now;
    enum apw_reset_state state;
    const char *id;
} times[] = {
    {"no value", {NULL}, AT, APW_RESET_NONE, ""},
    {"other values", {CODE, "sealed=AAAA"}, AT, APW_RESET_NONE, ""},
    {"a second before its time", {CODE, START BY}, AT - 1, APW_RESET_WAITING, "k7q2"},
    {"at its time", {START BY}, AT, APW_RESET_DUE, "k7q2"},
    {"a second before it is over", {START BY}, AT + APW_RESET_SECONDS - 1, APW_RESET_DUE, "k7q2"},
    {"when it is over", {START BY}, AT + APW_RESET_SECONDS, APW_RESET_NONE, ""},
    {"of two, the earlier one", {LATER, START BY}, AT, APW_RESET_DUE, "k7q2"},
    {"of two in the other order, too", {START BY, LATER}, AT, APW_RESET_DUE, "k7q2"},
    {"one that is over leaves the other",
     {START BY, LATER},
     AT + APW_RESET_SECONDS,
     APW_RESET_DUE,
     "k7q4"},
    {"a damaged one", {DAMAGED}, AT, APW_RESET_UNREADABLE, ""},
    {"a damaged one beside one that is due", {START BY, DAMAGED}, AT, APW_RESET_UNREADABLE, ""},
};

static void test_time(void **state)
{
    const struct time_case *row = *state;
    struct apw_value list[3] = {{NULL, 0}};
    struct apw_user user = {.dn = (char *)(uintptr_t) "uid=alice", .method = {.value = list}};
    struct apw_error error = {""};
    struct apw_reset reset;

    while (user.method.count < 3 && row->value[user.method.count] != NULL) {
        struct apw_value *value = &list[user.method.count];

        value->bytes = (char *)(uintptr_t)row->value[user.method.count++];
        value->length = strlen(value->bytes);
    }
    assert_int_equal(apw_reset_read(&user, row->now, &reset, &error), row->state);
    assert_string_equal(reset.id, row->id);
    if (row->state == APW_RESET_UNREADABLE)
        assert_string_equal(error.text,
                            "uid=alice: malformed reset; app-password mfa reset removes it");
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(values, test_value);
    UNIT_TEST("the longest name fits", test_longest_name);
    UNIT_TEST("damaged values are none", test_damaged);
    UNIT_TEST("what could not be read back is not written", test_not_written);
    UNIT_ROWS(times, test_time);
    return unit_run();
}
