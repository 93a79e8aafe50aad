/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY   86400
#define TIMESTAMP_MAX     INT64_C(253402300799) /* 9999-12-31 23:59:59 */
#define DURATION_DAYS_MAX 36500

int64_t apw_clock_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t apw_clock_remaining_ms(int64_t moment)
{
    int64_t remaining = moment - apw_clock_monotonic_ms();

    return remaining > 0 ? remaining : 0;
}

void apw_clock_sleep_until_ms(int64_t moment)
{
    struct timespec until = {.tv_sec = moment / 1000, .tv_nsec = (moment % 1000) * 1000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days before 1 January of `year`, counted from 1 January 0000 (proleptic Gregorian). */
static int64_t days_before_year(int year)
{
    int last = year - 1;

    return year == 0 ? 0 : 365LL * year + last / 4 - last / 100 + last / 400 + 1;
}

int apw_clock_date_to_days(int year, int month, int day, int64_t *days_r)
{
    int64_t days;

    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days_of_month(year, month))
        return -1;
    days = days_before_year(year) - days_before_year(1970);
    for (int earlier = 1; earlier < month; earlier++)
        days += days_of_month(year, earlier);
    *days_r = days + day - 1;
    return 0;
}

/* Reads `digits` decimal digits, never a sign or white space. */
static int read_number(const char **text, const char *end, int digits, int *number_r)
{
    int number = 0;

    if (end - *text < digits)
        return -1;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return -1;
        number = number * 10 + (**text - '0');
    }
    *number_r = number;
    return 0;
}

int apw_clock_format_timestamp(int64_t seconds, char text_r[APW_TIMESTAMP_SIZE])
{
    time_t moment = (time_t)seconds;
    struct tm fields;
    char text[64];

    if (moment != seconds || gmtime_r(&moment, &fields) == NULL || fields.tm_year < -1900 ||
        fields.tm_year > 9999 - 1900)
        return -1;
    snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", fields.tm_year + 1900,
             fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec);
    memcpy(text_r, text, APW_TIMESTAMP_SIZE);
    return 0;
}

int apw_clock_parse_timestamp(const char *text, size_t length, int64_t *seconds_r)
{
    if (length != APW_TIMESTAMP_SIZE - 1)
        return -1;
    for (size_t i = 0; i < length - 1; i++)
        if (text[i] < '0' || text[i] > '9')
            return -1;
    if (apw_clock_parse_generalized_time(text, length, seconds_r) != 0)
        return -1;
    return *seconds_r <= TIMESTAMP_MAX ? 0 : -1; /* a leap second would be in the year 10000 */
}

/* Reads the zone: "Z", or +hh, +hhmm, -hh, -hhmm. */
static int read_zone(const char **text, const char *end, int *seconds_east_r)
{
    int hours, minutes = 0, sign;

    if (*text == end)
        return -1;
    switch (*(*text)++) {
    case 'Z':
        *seconds_east_r = 0;
        return *text == end ? 0 : -1;
    case '+':
        sign = 1;
        break;
    case '-':
        sign = -1;
        break;
    default:
        return -1;
    }
    if (read_number(text, end, 2, &hours) != 0 || hours > 23)
        return -1;
    if (*text != end && (read_number(text, end, 2, &minutes) != 0 || minutes > 59))
        return -1;
    *seconds_east_r = sign * (hours * 3600 + minutes * 60);
    return *text == end ? 0 : -1;
}

/* A fraction is of the last unit given, so cutting it off loses less than that unit. */
static int skip_fraction(const char **text, const char *end)
{
    const char *first;

    if (*text == end || (**text != '.' && **text != ','))
        return 0;
    first = ++*text;
    while (*text != end && **text >= '0' && **text <= '9')
        (*text)++;
    return *text == first ? -1 : 0;
}

static bool is_digit_at(const char *text, const char *end)
{
    return text != end && *text >= '0' && *text <= '9';
}

int apw_clock_parse_generalized_time(const char *text, size_t length, int64_t *seconds_r)
{
    const char *end = text + length;
    int year, month, day, hour, minute = 0, second = 0, seconds_east;
    int64_t days;

    if (read_number(&text, end, 4, &year) != 0 || read_number(&text, end, 2, &month) != 0 ||
        read_number(&text, end, 2, &day) != 0 || read_number(&text, end, 2, &hour) != 0)
        return -1;
    if (is_digit_at(text, end) && read_number(&text, end, 2, &minute) != 0)
        return -1;
    if (is_digit_at(text, end) && read_number(&text, end, 2, &second) != 0)
        return -1;
    if (hour > 23 || minute > 59 || second > 60) /* 60 is a leap second */
        return -1;
    if (skip_fraction(&text, end) != 0 || read_zone(&text, end, &seconds_east) != 0 ||
        apw_clock_date_to_days(year, month, day, &days) != 0)
        return -1;
    *seconds_r = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - seconds_east;
    return 0;
}

static int64_t seconds_of_unit(const char *unit, bool bare_is_seconds)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"d", SECONDS_PER_DAY}, {"h", 3600}, {"m", 60}, {"s", 1}};

    if (*unit == '\0' && bare_is_seconds)
        return 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].seconds;
    return 0;
}

int apw_clock_parse_duration(const char *text, bool bare_is_seconds, int64_t *seconds_r)
{
    const int64_t limit = (int64_t)DURATION_DAYS_MAX * SECONDS_PER_DAY;
    int64_t number = 0, unit;

    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (*text - '0');
        if (number > limit)
            return -1;
    }
    unit = seconds_of_unit(text, bare_is_seconds);
    if (unit == 0 || number > limit / unit)
        return -1;
    *seconds_r = number * unit;
    return 0;
}
