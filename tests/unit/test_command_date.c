/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates as administrators type and read them. */

#include "date.h"
#include "unit.h"

#define NOW  INT64_C(1798761600) /* 2027-01-01T00:00:00Z */
#define DAY  INT64_C(86400)
#define HOUR INT64_C(3600)

enum outcome { FAILS = 0, MOMENT, NEVER };

struct row {
    const char *name;
    const char *text;
    enum outcome outcome;
    int64_t seconds;
    const char *error;
};

static const struct row expiries[] = {
    {"days count from now", "90d", MOMENT, NOW + 90 * DAY, NULL},
    {"hours count from now", "2h", MOMENT, NOW + 2 * HOUR, NULL},
    {"a day is valid to its end", "2027-01-31", MOMENT, NOW + 31 * DAY, NULL},
    {"today is valid to its end", "2027-01-01", MOMENT, NOW + DAY, NULL},
    {"a leap day", "2028-02-29", MOMENT, NOW + (365 + 31 + 29) * DAY, NULL},
    {"never is no moment", "never", NEVER, 0, NULL},
    {"a day before today", "2026-12-31", FAILS, 0, "has passed already"},
    {"no time at all", "0d", FAILS, 0, "has passed already"},
    {"the last day of the horizon", "36500d", MOMENT, NOW + 36500 * DAY, NULL},
    {"a slip in the year", "2927-01-31", FAILS, 0, "100 years"},
    {"a day that does not exist", "2027-02-29", FAILS, 0, "neither"},
    {"a month that does not exist", "2027-13-01", FAILS, 0, "neither"},
    {"a time of day", "2027-01-31T08:00:00Z", FAILS, 0, "neither"},
    {"a word", "soon", FAILS, 0, "neither"},
    {"a word in upper case", "Never", FAILS, 0, "neither"},
    {"nothing", "", FAILS, 0, "neither"},
    {"a number without a unit", "90", FAILS, 0, "neither"},
    {"a day with a space", "2027-01-31 ", FAILS, 0, "neither"},
};

static void test_expires(void **state)
{
    const struct row *row = *state;
    struct apw_error error = {""};
    bool is_never;
    int64_t seconds;
    int status = apw_date_parse_expires(row->text, NOW, &is_never, &seconds, &error);

    assert_int_equal(status, row->outcome == FAILS ? -1 : 0);
    if (row->outcome == FAILS) {
        assert_contains(error.text, row->error);
        return;
    }
    assert_int_equal(is_never, row->outcome == NEVER);
    assert_int_equal(seconds, row->seconds);
}

static const struct row enforcements[] = {
    {"a day counts from its start", "2027-01-31", MOMENT, NOW + 30 * DAY, NULL},
    {"a time in UTC", "2027-01-01T08:00:00Z", MOMENT, NOW + 8 * HOUR, NULL},
    {"a time without its zone", "2027-01-31T08:00:00", FAILS, 0, "neither a date"},
    {"a time with another zone", "2027-01-31T08:00:00+01:00", FAILS, 0, "neither a date"},
    {"an hour that does not exist", "2027-01-31T24:00:00Z", FAILS, 0, "neither a date"},
    {"a period", "90d", FAILS, 0, "neither a date"},
    {"today", "2027-01-01", FAILS, 0, "give --now"},
    {"a time that has passed", "2026-12-31T23:59:59Z", FAILS, 0, "give --now"},
    {"a slip in the year", "2927-01-31", FAILS, 0, "100 years"},
};

static void test_enforce_from(void **state)
{
    const struct row *row = *state;
    struct apw_error error = {""};
    int64_t seconds;
    int status = apw_date_parse_enforce_from(row->text, NOW, &seconds, &error);

    assert_int_equal(status, row->outcome == FAILS ? -1 : 0);
    if (row->outcome == FAILS)
        assert_contains(error.text, row->error);
    else
        assert_int_equal(seconds, row->seconds);
}

static void test_after_period(void **state)
{
    (void)state;
    assert_int_equal(apw_date_after_period(NOW, 14 * DAY), NOW + 14 * DAY);
    assert_int_equal(apw_date_after_period(NOW + 1, 14 * DAY), NOW + 15 * DAY);
    assert_int_equal(apw_date_after_period(NOW + DAY - 1, 14 * DAY), NOW + 15 * DAY);
    assert_int_equal(apw_date_after_period(NOW + 8 * HOUR, HOUR), NOW + DAY);
}

static void test_short(void **state)
{
    char text[APW_DATE_RFC3339_SIZE];

    (void)state;
    apw_date_format_short(NOW, text);
    assert_string_equal(text, "2027-01-01");
    apw_date_format_short(NOW + 8 * HOUR, text);
    assert_string_equal(text, "2027-01-01T08:00:00Z");
    apw_date_format_short(INT64_MAX / DAY * DAY, text);
    assert_string_equal(text, "?");
}

static void test_format(void **state)
{
    static const struct {
        int64_t seconds;
        const char *rfc3339;
        const char *minute;
    } moments[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01 00:00"},
        {NOW - 1, "2026-12-31T23:59:59Z", "2026-12-31 23:59"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31 23:59"},
        {INT64_C(253402300799), "9999-12-31T23:59:59Z", "9999-12-31 23:59"},
        {INT64_C(253402300800), "?", "?"},
        {INT64_MIN, "?", "?"},
        {INT64_MAX, "?", "?"},
    };
    char rfc3339[APW_DATE_RFC3339_SIZE], minute[APW_DATE_MINUTE_SIZE];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(moments); i++) {
        apw_date_format_rfc3339(moments[i].seconds, rfc3339);
        apw_date_format_minute(moments[i].seconds, minute);
        assert_string_equal(rfc3339, moments[i].rfc3339);
        assert_string_equal(minute, moments[i].minute);
    }
}

int main(void)
{
    UNIT_ROWS(expiries, test_expires);
    UNIT_ROWS(enforcements, test_enforce_from);
    UNIT_TEST("a moment is written in UTC, or as a question mark", test_format);
    UNIT_TEST("the start of a day is written without its time", test_short);
    UNIT_TEST("a period ends at the start of a day", test_after_period);
    return unit_run();
}
