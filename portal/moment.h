/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moment: dates and times of day as a language writes them, in the process's time zone.
 *
 * Names of months and the order of the parts come from the page's translations. glibc's own are in
 * its locales, of which most hosts have none but C.UTF-8.
 */
#ifndef APW_MOMENT_H
#define APW_MOMENT_H

#include "error.h"
#include "web/text.h"
#include <stdint.h>

#define APW_MOMENT_SIZE 96

/* -1 unless there is a time zone of that name. */
int apw_moment_check_zone(const char *zone, struct apw_error *error);

/* The time zone of this process from now on, such as "Europe/Oslo"; NULL: the host's. Call it
 * before threads start. -1 if there is no such zone. */
int apw_moment_use_zone(const char *zone, struct apw_error *error);

/* "16 December 2026" */
void apw_moment_day(const struct apw_texts *texts, unsigned language, int64_t seconds,
                    char text_r[APW_MOMENT_SIZE]);

/* "16 December 2026, 14:05" */
void apw_moment_minute(const struct apw_texts *texts, unsigned language, int64_t seconds,
                       char text_r[APW_MOMENT_SIZE]);

/* "16 December 2026, 14:05 (CET)" */
void apw_moment_zoned(const struct apw_texts *texts, unsigned language, int64_t seconds,
                      char text_r[APW_MOMENT_SIZE]);

/* When something ends: at midnight, the day before; otherwise with the time of day. */
void apw_moment_end(const struct apw_texts *texts, unsigned language, int64_t seconds,
                    char text_r[APW_MOMENT_SIZE]);

#endif
