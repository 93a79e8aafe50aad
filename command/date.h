/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * date: dates as people write them, in UTC. Moments are seconds since 1970.
 */
#ifndef APW_DATE_H
#define APW_DATE_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_DATE_RFC3339_SIZE 21 /* "2027-01-31T00:00:00Z" and NUL */
#define APW_DATE_MINUTE_SIZE  17 /* "2027-01-31 00:00" and NUL */

/* "?" for years outside 0 to 9999. */
void apw_date_format_rfc3339(int64_t seconds, char text_r[APW_DATE_RFC3339_SIZE]);
void apw_date_format_minute(int64_t seconds, char text_r[APW_DATE_MINUTE_SIZE]);

/* "2027-01-31" at the start of a day; otherwise as rfc3339. */
void apw_date_format_short(int64_t seconds, char text_r[APW_DATE_RFC3339_SIZE]);

/* --expires: "90d" (also h, m, s) from now, "2027-01-31" for the end of that day, or "never", which
 * sets *is_never_r. Fails unless the moment lies in the future, at most 100 years away. */
int apw_date_parse_expires(const char *text, int64_t now, bool *is_never_r, int64_t *seconds_r,
                           struct apw_error *error);

/* --enforce-from: "2027-01-31" for the start of that day, or "2027-01-31T08:00:00Z"; the same
 * bounds. */
int apw_date_parse_enforce_from(const char *text, int64_t now, int64_t *seconds_r,
                                struct apw_error *error);

/* The first start of a day that is at least `period_s` after `now`. */
int64_t apw_date_after_period(int64_t now, int64_t period_s);

#endif
