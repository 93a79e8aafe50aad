/* SPDX-License-Identifier: BSD-2-Clause */
/* Mails that a user has got: what is stored, and finding one of them. */
#include "reminder.h"
#include "unit.h"
#include <sodium.h>

#define TIME    "20261129101500Z"
#define SECONDS 1795947300
#define DAY     "20270512000000Z"
#define DAY_S   1810080000

static const struct value_case {
    const char *name;
    const char *value;
    struct apw_reminder reminder;
} values[] = {
    {"MFA announced",
     "reminder kind=mfa-announced of=" TIME,
     {.kind = APW_REMINDER_MFA_ANNOUNCED, .of = SECONDS}},
    {"a week before MFA",
     "reminder kind=mfa-week of=" TIME,
     {.kind = APW_REMINDER_MFA_WEEK, .of = SECONDS}},
    {"the day of MFA",
     "reminder kind=mfa-today of=" TIME,
     {.kind = APW_REMINDER_MFA_TODAY, .of = SECONDS}},
    {"made", "reminder kind=made id=k7q2", {.kind = APW_REMINDER_MADE, .id = "k7q2"}},
    {"expiring in two weeks",
     "reminder kind=expiring-14 id=k7q2 of=" TIME,
     {.kind = APW_REMINDER_EXPIRING_14, .id = "k7q2", .of = SECONDS}},
    {"expiring in three days",
     "reminder kind=expiring-3 id=k7q2 of=" TIME,
     {.kind = APW_REMINDER_EXPIRING_3, .id = "k7q2", .of = SECONDS}},
    {"unused",
     "reminder kind=unused id=k7q2 of=" TIME,
     {.kind = APW_REMINDER_UNUSED, .id = "k7q2", .of = SECONDS}},
    {"unused, being told",
     "reminder kind=unused-revoke id=k7q2 of=" TIME " tried=" DAY,
     {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = SECONDS, .tried = DAY_S}},
    {"unused, told",
     "reminder kind=unused-revoke id=k7q2 of=" TIME " sent=" DAY,
     {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = SECONDS, .sent = DAY_S}},
    {"yearly", "reminder kind=yearly of=" TIME, {.kind = APW_REMINDER_YEARLY, .of = SECONDS}},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    char *copy = unit_copy(row->value, strlen(row->value)), again[APW_REMINDER_VALUE_SIZE];
    struct apw_error error = {""};
    struct apw_reminder reminder;

    assert_true(apw_reminder_is_value(copy, strlen(row->value)));
    assert_int_equal(apw_reminder_parse(copy, strlen(row->value), &reminder, &error), 0);
    assert_memory_equal(&reminder, &row->reminder, sizeof reminder);
    assert_int_equal(apw_reminder_format(&row->reminder, again, &error), 0);
    assert_string_equal(again, row->value);
    free(copy);
}

static const char *const damaged[] = {
    "",
    "reminder",
    "reminder ",
    "reminders kind=made id=k7q2",
    "kind=made id=k7q2",
    "reminder kind=",
    "reminder kind=other id=k7q2",
    "reminder kind=Made id=k7q2",
    "reminder kind=made",
    "reminder kind=made id=",
    "reminder kind=made id=K7Q2",
    "reminder kind=made id=k7q",
    "reminder kind=made id=k7q2 ",
    "reminder kind=made id=k7q2 id=k7q2",
    "reminder kind=made id=k7q2 of=" TIME,
    "reminder kind=made of=" TIME,
    "reminder  kind=made id=k7q2",
    "reminder id=k7q2 kind=made",
    "reminder kind=expiring-1 id=k7q2 of=" TIME,
    "reminder kind=expiring-14 id=k7q2",
    "reminder kind=yearly",
    "reminder kind=yearly id=k7q2 of=" TIME,
    "reminder kind=yearly of=",
    "reminder kind=yearly of=tomorrow",
    "reminder kind=yearly of=19700101000000Z",
    "reminder kind=mfa-week of=" TIME " sent=" DAY,
    "reminder kind=unused id=k7q2",
    "reminder kind=unused of=" TIME " id=k7q2",
    "reminder kind=unused-revoke id=k7q2 of=" TIME,
    "reminder kind=unused-revoke id=k7q2 of=" TIME " sent=" TIME,
    "reminder kind=unused-revoke id=k7q2 of=" TIME " sent=19700101000000Z",
    "reminder kind=unused-revoke id=k7q2 of=" TIME " tried=" DAY " sent=" DAY,
    "reminder kind=unused-revoke id=k7q2 of=" TIME " sent=" DAY " other=x",
};

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(damaged); i++) {
        char *copy = unit_copy(damaged[i], strlen(damaged[i]));
        struct apw_error error = {""};
        struct apw_reminder reminder;

        memset(&reminder, 0xff, sizeof reminder);
        if (apw_reminder_parse(copy, strlen(damaged[i]), &reminder, &error) == 0)
            fail_msg("%s", damaged[i]);
        assert_true(unit_is_zero(&reminder, sizeof reminder));
        assert_string_equal(error.text, "malformed reminder");
        free(copy);
    }
}

static void test_not_written(void **state)
{
    static const struct apw_reminder wrong[] = {
        {.kind = APW_REMINDER_MADE},
        {.kind = APW_REMINDER_MADE, .id = "k7q"},
        {.kind = APW_REMINDER_MADE, .id = "k7q2", .of = 1},
        {.kind = APW_REMINDER_YEARLY, .id = "k7q2", .of = 1},
        {.kind = APW_REMINDER_YEARLY, .of = INT64_MAX},
        {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = 1},
        {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = 1, .sent = 1},
        {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = 1, .sent = DAY_S, .tried = DAY_S},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
        char value[APW_REMINDER_VALUE_SIZE];
        struct apw_error error = {""};

        assert_int_equal(apw_reminder_format(&wrong[i], value, &error), -1);
    }
}

/* ---- finding ---- */

#define UNUSED "reminder kind=unused id=k7q2 of=" TIME

static const struct find_case {
    const char *name;
    const char *value;
    struct apw_reminder wanted;
    bool is_found;
} finds[] = {
    {"the same one", UNUSED, {.kind = APW_REMINDER_UNUSED, .id = "k7q2", .of = SECONDS}, true},
    {"of another app password",
     UNUSED,
     {.kind = APW_REMINDER_UNUSED, .id = "k7q3", .of = SECONDS},
     false},
    {"of another occasion",
     UNUSED,
     {.kind = APW_REMINDER_UNUSED, .id = "k7q2", .of = SECONDS + 1},
     false},
    {"of another kind", UNUSED, {.kind = APW_REMINDER_YEARLY, .of = SECONDS}, false},
    {"whatever its day",
     UNUSED "-revoke",
     {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = SECONDS},
     false},
    {"told",
     "reminder kind=unused-revoke id=k7q2 of=" TIME " sent=" DAY,
     {.kind = APW_REMINDER_UNUSED_REVOKE, .id = "k7q2", .of = SECONDS},
     true},
    {"a damaged one",
     "reminder kind=made id=k7q2 x",
     {.kind = APW_REMINDER_MADE, .id = "k7q2"},
     false},
    {"no reminder", "reset id=k7q2", {.kind = APW_REMINDER_MADE, .id = "k7q2"}, false},
};

static void test_find(void **state)
{
    const struct find_case *row = *state;
    struct apw_value value[2] = {{.bytes = (char *)"guesses x", .length = 9},
                                 {.bytes = (char *)row->value, .length = strlen(row->value)}};
    struct apw_user user = {.method = {.count = 2, .value = value}};
    struct apw_reminder found;
    const char *text = apw_reminder_find(&user, &row->wanted, &found);

    assert_ptr_equal(text, row->is_found ? row->value : NULL);
    if (row->is_found)
        assert_int_equal(found.kind, row->wanted.kind);
    else
        assert_true(unit_is_zero(&found, sizeof found));
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(values, test_value);
    UNIT_TEST("damaged values are none", test_damaged);
    UNIT_TEST("what could not be read back is not written", test_not_written);
    UNIT_ROWS(finds, test_find);
    return unit_run();
}
