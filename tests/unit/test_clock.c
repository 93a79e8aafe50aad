/* SPDX-License-Identifier: BSD-2-Clause */
/* Times as the directory writes them, periods as people do, waits. */
#include "clock.h"
#include "unit.h"

static const struct timestamp_case {
    const char *name;
    const char *text;
    int64_t seconds;
} timestamps[] = {
    {"the epoch", "19700101000000Z", 0},
    {"the second before the epoch", "19691231235959Z", -1},
    {"a second past 31 bits", "20380119031408Z", 2147483648},
    {"29 February of a year divisible by 4", "20240229235959Z", 1709251199},
    {"29 February of a year divisible by 400", "20000229120000Z", 951825600},
    {"1 March of a year divisible by 100 only", "19000301000000Z", -2203891200},
    {"1 March of 2100, no leap year either", "21000301000000Z", 4107542400},
    {"an ordinary day", "20261122101500Z", 1795342500},
    {"the first second of year 0", "00000101000000Z", -62167219200},
    {"the first second of year 1", "00010101000000Z", -62135596800},
    {"the last second of year 9999", "99991231235959Z", 253402300799},
};

static void test_timestamp(void **state)
{
    const struct timestamp_case *row = *state;
    char text[APW_TIMESTAMP_SIZE];
    int64_t seconds;

    assert_int_equal(apw_clock_parse_timestamp(row->text, strlen(row->text), &seconds), 0);
    assert_true(seconds == row->seconds);
    assert_int_equal(apw_clock_parse_generalized_time(row->text, strlen(row->text), &seconds), 0);
    assert_true(seconds == row->seconds);
    assert_int_equal(apw_clock_format_timestamp(row->seconds, text), 0);
    assert_string_equal(text, row->text);
}

static const struct unformattable_case {
    const char *name;
    int64_t seconds;
} unformattable[] = {
    {"the second before year 0 has no form", -62167219201},
    {"the second after year 9999 has no form", 253402300800},
    {"the first second of all has no form", INT64_MIN},
    {"the last second of all has no form", INT64_MAX},
};

static void test_unformattable(void **state)
{
    const struct unformattable_case *row = *state;
    char text[APW_TIMESTAMP_SIZE];

    assert_int_equal(apw_clock_format_timestamp(row->seconds, text), -1);
}

static const struct bad_case {
    const char *name;
    const char *text;
} bad_times[] = {
    {"29 February of no leap year is no time", "20230229000000Z"},
    {"29 February 1900 is no time", "19000229000000Z"},
    {"29 February 2100 is no time", "21000229000000Z"},
    {"30 February is no time", "20240230000000Z"},
    {"31 April is no time", "20260431000000Z"},
    {"month 0 is no time", "20260001000000Z"},
    {"month 13 is no time", "20261301000000Z"},
    {"day 0 is no time", "20261100000000Z"},
    {"day 32 is no time", "20261032000000Z"},
    {"hour 24 is no time", "20261122240000Z"},
    {"minute 60 is no time", "20261122106000Z"},
    {"second 61 is no time", "20261122101561Z"},
    {"empty text is no time", ""},
    {"a zone alone is no time", "Z"},
    {"a sign is no digit", "+2026112210150Z"},
    {"a minus is no digit", "-0261122101500Z"},
    {"a space is no digit", "2026 122101500Z"},
    {"hexadecimal is no digit", "202611221015a0Z"},
    {"a small z is no zone", "20261122101500z"},
    {"a time without a zone is invalid", "20261122101500"},
    {"something after the zone is refused", "20261122101500ZZ"},
    {"a space after the zone is refused", "20261122101500Z "},
    {"a line end after the zone is refused", "20261122101500Z\n"},
    {"a five-digit year is refused", "120261122101500Z"},
    {"a date alone is no time", "20261122Z"},
};

static void test_bad_time(void **state)
{
    const struct bad_case *row = *state;
    size_t length = strlen(row->text);
    char *text = unit_copy(row->text, length);
    int64_t seconds;

    assert_int_equal(apw_clock_parse_timestamp(text, length, &seconds), -1);
    assert_int_equal(apw_clock_parse_generalized_time(text, length, &seconds), -1);
    free(text);
}

/* Forms of RFC 4517, 3.3.13 that a directory may return, and that we do not write. */
static const struct generalized_case {
    const char *name;
    const char *text;
    int64_t seconds; /* INT64_MIN: no GeneralizedTime */
} generalized[] = {
    {"seconds may be left out", "202611221015Z", 1795342500},
    {"minutes may be left out", "2026112210Z", 1795342500 - 15 * 60},
    {"a fraction of a second is cut off", "20261122101500.999Z", 1795342500},
    {"a fraction may have a comma", "20261122101500,5Z", 1795342500},
    {"a fraction of a minute is cut off", "202611221015.5Z", 1795342500},
    {"a fraction of an hour is cut off", "2026112210.25Z", 1795342500 - 15 * 60},
    {"a zone east of Greenwich", "20261122111500+0100", 1795342500},
    {"a zone west of Greenwich", "20261122051500-0500", 1795342500},
    {"a zone of hours alone", "20261122111500+01", 1795342500},
    {"a zone with minutes", "20261122154500+0530", 1795342500},
    {"a zone into the day before", "20261123001500+1400", 1795342500},
    {"a fraction and a zone", "20261122111500.1+0100", 1795342500},
    {"a leap second", "20161231235960Z", 1483228800},
    {"a dot without digits is refused", "20261122101500.Z", INT64_MIN},
    {"a fraction without a zone is refused", "20261122101500.5", INT64_MIN},
    {"two fractions are refused", "20261122101500.5.5Z", INT64_MIN},
    {"a zone of one digit is refused", "20261122101500+1", INT64_MIN},
    {"a zone of three digits is refused", "20261122101500+010", INT64_MIN},
    {"a zone of five digits is refused", "20261122101500+01000", INT64_MIN},
    {"a zone of 24 hours is refused", "20261122101500+2400", INT64_MIN},
    {"a zone of 60 minutes is refused", "20261122101500+0060", INT64_MIN},
    {"a zone without digits is refused", "20261122101500+", INT64_MIN},
    {"half a minute field is refused", "20261122101Z", INT64_MIN},
    {"half a second field is refused", "2026112210150Z", INT64_MIN},
};

static void test_generalized(void **state)
{
    const struct generalized_case *row = *state;
    size_t length = strlen(row->text);
    char *text = unit_copy(row->text, length);
    bool is_good = row->seconds != INT64_MIN;
    int64_t seconds;

    assert_int_equal(apw_clock_parse_generalized_time(text, length, &seconds), is_good ? 0 : -1);
    if (is_good)
        assert_true(seconds == row->seconds);
    free(text);
}

/* We write only one form. */
static void test_strict_form(void **state)
{
    int64_t seconds;

    (void)state;
    assert_int_equal(apw_clock_parse_timestamp("202611221015Z", 13, &seconds), -1);
    assert_int_equal(apw_clock_parse_timestamp("2026112210+0100", 15, &seconds), -1);
    assert_int_equal(apw_clock_parse_timestamp("202611221015.0Z", 15, &seconds), -1);
    assert_int_equal(apw_clock_parse_timestamp("20261122101500\0", 15, &seconds), -1);
}

/* What can be read as a timestamp can also be written as one. */
static void test_end_of_timestamps(void **state)
{
    int64_t seconds;

    (void)state;
    assert_int_equal(apw_clock_parse_timestamp("99981231235960Z", 15, &seconds), 0);
    assert_int_equal(apw_clock_parse_timestamp("99991231235859Z", 15, &seconds), 0);
    assert_int_equal(apw_clock_parse_timestamp("99991231235860Z", 15, &seconds), 0);
    assert_int_equal(apw_clock_parse_timestamp("99991231235959Z", 15, &seconds), 0);
    assert_int_equal(apw_clock_parse_timestamp("99991231235960Z", 15, &seconds), -1);
    assert_int_equal(apw_clock_parse_generalized_time("99991231235960Z", 15, &seconds), 0);
}

/* Every day from 1970 to 2400 follows the one before. */
static void test_every_day(void **state)
{
    int64_t expected = 0;

    (void)state;
    for (int year = 1970; year <= 2400; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 31; day++) {
                int64_t days;

                if (apw_clock_date_to_days(year, month, day, &days) == 0)
                    assert_true(days == expected++);
            }
    assert_int_equal(expected, 157420); /* 431 years with 105 leap days */
}

static const struct duration_case {
    const char *name;
    const char *text;
    bool bare_is_seconds;
    int64_t seconds; /* -1: not a period */
} durations[] = {
    {"days", "90d", false, 7776000},
    {"hours", "36h", false, 129600},
    {"minutes", "15m", false, 900},
    {"seconds", "30s", false, 30},
    {"zero is a period", "0d", false, 0},
    {"bare digits may be seconds", "30", true, 30},
    {"bare digits need not be seconds", "30", false, -1},
    {"a hundred years", "36500d", false, 3153600000},
    {"a hundred years in seconds", "3153600000s", false, 3153600000},
    {"a day more than a hundred years is refused", "36501d", false, -1},
    {"a second more than a hundred years is refused", "3153600001s", false, -1},
    {"a number past 64 bits is refused", "18446744073709551617s", false, -1},
    {"a product past 64 bits is refused", "3000000000d", false, -1},
    {"empty text is no period", "", true, -1},
    {"a unit alone is no period", "d", false, -1},
    {"a minus is no period", "-1d", false, -1},
    {"a plus is no period", "+1d", false, -1},
    {"a space in front is refused", " 1d", false, -1},
    {"a space before the unit is refused", "1 d", false, -1},
    {"a trailing space is refused", "1d ", false, -1},
    {"an unknown unit is refused", "1w", false, -1},
    {"upper case is refused", "1D", false, -1},
    {"two units are refused", "1d12h", false, -1},
    {"a fraction is refused", "1.5d", false, -1},
};

static void test_duration(void **state)
{
    const struct duration_case *row = *state;
    int64_t seconds = 0;

    assert_int_equal(apw_clock_parse_duration(row->text, row->bare_is_seconds, &seconds),
                     row->seconds < 0 ? -1 : 0);
    if (row->seconds >= 0)
        assert_true(seconds == row->seconds);
}

static void test_wait(void **state)
{
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    apw_clock_sleep_until_ms(start - 1000);
    assert_true(apw_clock_remaining_ms(start - 1) == 0);
    assert_true(apw_clock_remaining_ms(start + 60000) > 0);
    assert_true(apw_clock_remaining_ms(start + 60000) <= 60000);
    apw_clock_sleep_until_ms(start + 30);
    assert_true(apw_clock_monotonic_ms() >= start + 30);
    assert_true(apw_clock_remaining_ms(start + 30) == 0);
}

int main(void)
{
    UNIT_ROWS(timestamps, test_timestamp);
    UNIT_ROWS(unformattable, test_unformattable);
    UNIT_ROWS(bad_times, test_bad_time);
    UNIT_ROWS(generalized, test_generalized);
    UNIT_TEST("the directory's own form is one alone", test_strict_form);
    UNIT_TEST("the last leap second of four-digit years is no timestamp", test_end_of_timestamps);
    UNIT_TEST("every day from 1970 to 2400 follows the one before", test_every_day);
    UNIT_ROWS(durations, test_duration);
    UNIT_TEST("a wait ends at its moment and not before", test_wait);
    return unit_run();
}
