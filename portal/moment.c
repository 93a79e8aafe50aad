/* SPDX-License-Identifier: BSD-2-Clause */
#include "moment.h"
#include "web/template.h"
#include "wording.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo"

/* glibc would take an unknown zone for UTC. */
static int find(const char *zone, char path_r[PATH_MAX], struct apw_error *error)
{
    struct stat file;
    int length = snprintf(path_r, PATH_MAX, ZONES "/%s", zone);

    return zone[0] != '/' && strstr(zone, "..") == NULL && length < PATH_MAX &&
                   stat(path_r, &file) == 0 && S_ISREG(file.st_mode)
               ? 0
               : apw_error_set(error,
                               "\"%s\" is not a time zone like Europe/Oslo; they are in " ZONES
                               ", from the package tzdata",
                               zone);
}

int apw_moment_check_zone(const char *zone, struct apw_error *error)
{
    char path[PATH_MAX];

    return find(zone, path, error);
}

int apw_moment_use_zone(const char *zone, struct apw_error *error)
{
    char path[PATH_MAX];

    if (zone != NULL && find(zone, path, error) != 0)
        return -1;
    if (zone != NULL && setenv("TZ", path, 1) != 0)
        return apw_error_set(error, "out of memory");
    tzset();
    return 0;
}

static const enum apw_text months[] = {
    APW_TEXT_JANUARY,   APW_TEXT_FEBRUARY, APW_TEXT_MARCH,    APW_TEXT_APRIL,
    APW_TEXT_MAY,       APW_TEXT_JUNE,     APW_TEXT_JULY,     APW_TEXT_AUGUST,
    APW_TEXT_SEPTEMBER, APW_TEXT_OCTOBER,  APW_TEXT_NOVEMBER, APW_TEXT_DECEMBER,
};

static void fill(const struct apw_texts *texts, unsigned language, enum apw_text pattern,
                 const struct tm *fields, char text_r[APW_MOMENT_SIZE])
{
    struct apw_variables variables = {.count = 0};
    struct apw_buffer text = {NULL, 0, 0, false};
    char day[12], year[12], hour[12], minute[12];

    snprintf(day, sizeof day, "%d", fields->tm_mday);
    snprintf(year, sizeof year, "%d", fields->tm_year + 1900);
    snprintf(hour, sizeof hour, "%02d", fields->tm_hour);
    snprintf(minute, sizeof minute, "%02d", fields->tm_min);
    apw_template_set(&variables, "day",
                     fields->tm_mday == 1 ? apw_text_in(texts, APW_TEXT_FIRST_DAY, language) : day);
    apw_template_set(&variables, "month", apw_text_in(texts, months[fields->tm_mon], language));
    apw_template_set(&variables, "year", year);
    apw_template_set(&variables, "hour", hour);
    apw_template_set(&variables, "minute", minute);
    apw_template_fill_text(apw_text_in(texts, pattern, language), &variables, &text);
    snprintf(text_r, APW_MOMENT_SIZE, "%s", text.is_broken ? "?" : text.bytes);
    apw_buffer_free(&text);
}

static bool split(int64_t seconds, struct tm *fields_r, char text_r[APW_MOMENT_SIZE])
{
    time_t moment = (time_t)seconds;

    strcpy(text_r, "?");
    return localtime_r(&moment, fields_r) != NULL;
}

void apw_moment_day(const struct apw_texts *texts, unsigned language, int64_t seconds,
                    char text_r[APW_MOMENT_SIZE])
{
    struct tm fields;

    if (split(seconds, &fields, text_r))
        fill(texts, language, APW_TEXT_DAY, &fields, text_r);
}

void apw_moment_minute(const struct apw_texts *texts, unsigned language, int64_t seconds,
                       char text_r[APW_MOMENT_SIZE])
{
    struct tm fields;

    if (split(seconds, &fields, text_r))
        fill(texts, language, APW_TEXT_MINUTE, &fields, text_r);
}

void apw_moment_zoned(const struct apw_texts *texts, unsigned language, int64_t seconds,
                      char text_r[APW_MOMENT_SIZE])
{
    size_t length;
    struct tm fields;

    if (!split(seconds, &fields, text_r))
        return;
    fill(texts, language, APW_TEXT_MINUTE, &fields, text_r);
    length = strlen(text_r);
    snprintf(text_r + length, APW_MOMENT_SIZE - length, " (%s)", fields.tm_zone);
}

void apw_moment_end(const struct apw_texts *texts, unsigned language, int64_t seconds,
                    char text_r[APW_MOMENT_SIZE])
{
    struct tm fields;

    if (!split(seconds, &fields, text_r))
        return;
    if (fields.tm_hour == 0 && fields.tm_min == 0 && fields.tm_sec == 0)
        apw_moment_day(texts, language, seconds - 1, text_r);
    else
        fill(texts, language, APW_TEXT_MINUTE, &fields, text_r);
}
