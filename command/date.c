/* SPDX-License-Identifier: BSD-2-Clause */
#include "date.h"
#include "clock.h"
#include <stdio.h>
#include <string.h>

#define SECONDS_PER_DAY INT64_C(86400)
/* A date farther away is a typing error in the year. */
#define HORIZON (36500 * SECONDS_PER_DAY)

void apw_date_format_rfc3339(int64_t seconds, char text_r[APW_DATE_RFC3339_SIZE])
{
    char t[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(seconds, t) != 0)
        strcpy(text_r, "?");
    else
        snprintf(text_r, APW_DATE_RFC3339_SIZE, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6,
                 t + 8, t + 10, t + 12);
}

void apw_date_format_minute(int64_t seconds, char text_r[APW_DATE_MINUTE_SIZE])
{
    char t[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(seconds, t) != 0)
        strcpy(text_r, "?");
    else
        snprintf(text_r, APW_DATE_MINUTE_SIZE, "%.4s-%.2s-%.2s %.2s:%.2s", t, t + 4, t + 6, t + 8,
                 t + 10);
}

void apw_date_format_short(int64_t seconds, char text_r[APW_DATE_RFC3339_SIZE])
{
    apw_date_format_rfc3339(seconds, text_r);
    if (seconds % SECONDS_PER_DAY == 0 && strlen(text_r) == APW_DATE_RFC3339_SIZE - 1)
        *strchr(text_r, 'T') = '\0';
}

/* Reads `text` of the given shape, in which '0' stands for any digit. Missing parts of the time are
 * 0. */
static int parse_shape(const char *text, const char *shape, int64_t *seconds_r)
{
    char digits[APW_TIMESTAMP_SIZE] = "00000000000000Z";
    size_t count = 0;

    if (strlen(text) != strlen(shape))
        return -1;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';

        if (shape[i] == '0' ? !is_digit : text[i] != shape[i])
            return -1;
        if (is_digit)
            digits[count++] = text[i];
    }
    return apw_clock_parse_timestamp(digits, APW_TIMESTAMP_SIZE - 1, seconds_r);
}

int apw_date_parse_expires(const char *text, int64_t now, bool *is_never_r, int64_t *seconds_r,
                           struct apw_error *error)
{
    int64_t moment;

    *is_never_r = strcmp(text, "never") == 0;
    *seconds_r = 0;
    if (*is_never_r)
        return 0;
    if (parse_shape(text, "0000-00-00", &moment) == 0)
        moment += SECONDS_PER_DAY; /* valid while now < expires: the whole of that day */
    else if (apw_clock_parse_duration(text, false, &moment) == 0)
        moment += now;
    else
        return apw_error_set(error,
                             "\"%s\" is neither a period like 90d (at most 36500d) nor a date like "
                             "2027-01-31 nor never",
                             text);
    if (moment <= now)
        return apw_error_set(error, "\"%s\" has passed already; give a later date", text);
    if (moment > now + HORIZON)
        return apw_error_set(error,
                             "\"%s\" is more than 100 years away; is the year right? "
                             "For no expiry give never",
                             text);
    *seconds_r = moment;
    return 0;
}

int apw_date_parse_enforce_from(const char *text, int64_t now, int64_t *seconds_r,
                                struct apw_error *error)
{
    if (parse_shape(text, "0000-00-00", seconds_r) != 0 &&
        parse_shape(text, "0000-00-00T00:00:00Z", seconds_r) != 0)
        return apw_error_set(error,
                             "\"%s\" is neither a date like 2027-01-31 nor a time in UTC like "
                             "2027-01-31T08:00:00Z",
                             text);
    if (*seconds_r <= now)
        return apw_error_set(error, "\"%s\" has begun already; to enforce at once give --now",
                             text);
    if (*seconds_r > now + HORIZON)
        return apw_error_set(error, "\"%s\" is more than 100 years away; is the year right?", text);
    return 0;
}

int64_t apw_date_after_period(int64_t now, int64_t period_s)
{
    return (now + period_s + SECONDS_PER_DAY - 1) / SECONDS_PER_DAY * SECONDS_PER_DAY;
}
