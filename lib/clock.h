/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock: time of day, as the directory writes it; elapsed time, for waits and deadlines.
 */
#ifndef APW_CLOCK_H
#define APW_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "20261122101500Z" and its NUL. */
#define APW_TIMESTAMP_SIZE 16

/* A moment on CLOCK_MONOTONIC, in milliseconds. */
int64_t apw_clock_monotonic_ms(void);

/* Milliseconds from now until `moment`, 0 if it has passed. */
int64_t apw_clock_remaining_ms(int64_t moment);

/* Sleeps until `moment` (monotonic milliseconds); returns at once if it has passed. A signal does
 * not shorten it. */
void apw_clock_sleep_until_ms(int64_t moment);

/* Seconds since 1970 (UTC) as a GeneralizedTime of the form YYYYMMDDHHMMSSZ (RFC 4517, 3.3.13).
 * Fails, with -1, for years outside 0000 to 9999. */
int apw_clock_format_timestamp(int64_t seconds, char text_r[APW_TIMESTAMP_SIZE]);

/* The inverse, for exactly that form; every field in its range, -1 for anything else. 60 seconds
 * are a leap second, except at the end of the year 9999. */
int apw_clock_parse_timestamp(const char *text, size_t length, int64_t *seconds_r);

/* Any GeneralizedTime (RFC 4517, 3.3.13): as above, or without minutes and seconds, with a
 * fraction, which is cut off, or with the zone +hhmm or -hhmm. -1 for anything else. */
int apw_clock_parse_generalized_time(const char *text, size_t length, int64_t *seconds_r);

/* Days since 1970-01-01 of a Gregorian date; -1 if there is no such date. */
int apw_clock_date_to_days(int year, int month, int day, int64_t *days_r);

/* Reads a whole number with a unit, "90d", "36h", "15m" or "30s" (with
 * `bare_is_seconds`, bare digits too), as seconds; at most 36500 days. -1 for anything else. */
int apw_clock_parse_duration(const char *text, bool bare_is_seconds, int64_t *seconds_r);

#endif
