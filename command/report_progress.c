/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_progress.h"
#include "csv.h"
#include "finding.h"
#include "ldap/filter.h"
#include "manage.h"
#include "method_seal.h"
#include "output.h"
#include "progress.h"
#include "say.h"
#include "utf8.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define USED_S    (30 * 86400)
#define BAR_WIDTH 20
#define ROWS_MAX  10000 /* kept in memory, and sorted by insertion */

enum column { USERS = 0, ENFORCED, ANNOUNCED, ENROLLED, HAVE_ONE, USED, COLUMN_COUNT };

static const char *const headers[COLUMN_COUNT] = {
    "USERS", "MFA ENFORCED", "ANNOUNCED", "ENROLLED", "APP PASSWORD", "USED IN 30 DAYS",
};

static const char *const keys[COLUMN_COUNT] = {
    "users", "mfa_enforced", "mfa_announced", "enrolled", "app_password", "used_in_30_days",
};

/* Users with one value of the attribute. */
struct row {
    char *value; /* NULL: the total, or users without a value */
    size_t count[COLUMN_COUNT];
};

struct tally {
    int64_t now;
    const char *by;
    bool has_uses;
    struct row total;
    struct row without;
    struct row *row; /* sorted by value, whatever the case */
    size_t count;
    size_t size;                   /* allocated */
    enum apw_manage_result result; /* of adding the last row */
    struct apw_error error;
};

/* ---- counting ---- */

static struct row *insert_row(struct tally *tally, size_t place, const char *value)
{
    if (tally->count == ROWS_MAX) {
        tally->result = APW_MANAGE_REFUSED;
        apw_error_set(&tally->error,
                      "--by %s: there are more than %d values; choose an attribute that many users "
                      "share",
                      tally->by, ROWS_MAX);
        return NULL;
    }
    tally->result = APW_MANAGE_UNAVAILABLE; /* until there is a row */
    apw_error_set(&tally->error, "out of memory");
    if (tally->count == tally->size) {
        size_t size = tally->size == 0 ? 64 : 2 * tally->size;
        struct row *row = realloc(tally->row, size * sizeof *row);

        if (row == NULL)
            return NULL;
        tally->row = row;
        tally->size = size;
    }
    memmove(tally->row + place + 1, tally->row + place,
            (tally->count - place) * sizeof *tally->row);
    tally->row[place] = (struct row){.value = strdup(value)};
    tally->count++;
    if (tally->row[place].value == NULL)
        return NULL;
    tally->result = APW_MANAGE_DONE;
    return &tally->row[place];
}

/* NULL, with tally->result and its error, if there is no room. */
static struct row *row_of(struct tally *tally, const char *value)
{
    size_t low = 0, high = tally->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcasecmp(value, tally->row[middle].value);

        if (order == 0)
            return &tally->row[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return insert_row(tally, low, value);
}

static void add(struct row *row, const bool is_in[COLUMN_COUNT])
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        row->count[i] += is_in[i];
}

/* A user with several values counts in the row of each. */
static int add_user(struct tally *tally, const struct apw_user *user,
                    const bool is_in[COLUMN_COUNT])
{
    add(&tally->total, is_in);
    if (user->also.count == 0)
        add(&tally->without, is_in);
    for (size_t i = 0; i < user->also.count; i++) {
        struct row *row = row_of(tally, user->also.value[i].bytes);

        if (row == NULL)
            return -1;
        add(row, is_in);
    }
    return 0;
}

/* The attribute also has enrollment codes and counts of guesses. */
static bool is_enrolled(const struct apw_user *user)
{
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_method_is_sealed(value->bytes, value->length))
            return true;
    }
    return false;
}

static bool has_used_one(const struct apw_user *user, int64_t now)
{
    for (size_t i = 0; i < user->use_count; i++)
        if (user->use[i].at > now - USED_S)
            return true;
    return false;
}

static int count_user(void *context, const struct apw_user *user)
{
    struct tally *tally = context;
    const bool is_in[COLUMN_COUNT] = {
        [USERS] = true,
        [ENROLLED] = is_enrolled(user),
        [HAVE_ONE] = apw_manage_has_working_password(user, tally->now),
        [USED] = has_used_one(user, tally->now),
    };

    apw_progress_step();
    return add_user(tally, user, is_in);
}

static int count_user_with_mfa(void *context, const struct apw_user *user)
{
    struct tally *tally = context;
    bool is_announced =
        user->has_enforce_from && user->is_enforce_from_readable && user->enforce_from > tally->now;
    const bool is_in[COLUMN_COUNT] = {[ENFORCED] = !is_announced, [ANNOUNCED] = is_announced};

    apw_progress_step();
    return add_user(tally, user, is_in);
}

static enum apw_manage_result count_all(const struct apw_manager *manager, struct tally *tally,
                                        struct apw_error *error)
{
    struct apw_manager reading = *manager;
    char *users = apw_filter_expand_any(manager->config->filter);
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;

    reading.also = tally->by;
    reading.with_enrolment = true;
    apw_error_set(error, "out of memory");
    if (users == NULL)
        return result;
    apw_progress_begin("users", 0);
    result = apw_user_each(&reading, users, count_user, tally, error);
    if (result == APW_MANAGE_DONE && tally->result == APW_MANAGE_DONE)
        result = apw_finding_each_with_mfa(&reading, users, count_user_with_mfa, tally, error);
    apw_progress_end();
    free(users);
    if (tally->result == APW_MANAGE_DONE)
        return result;
    *error = tally->error;
    return tally->result;
}

/* ---- printing ---- */

typedef int (*row_printer)(void *context, const struct tally *tally, const struct row *row);

/* Calls `print` for each value, and for the users without one if there are any. */
static int each_row(const struct tally *tally, row_printer print, void *context)
{
    for (size_t i = 0; i < tally->count; i++)
        if (print(context, tally, &tally->row[i]) != 0)
            return -1;
    return tally->by != NULL && tally->without.count[USERS] > 0
               ? print(context, tally, &tally->without)
               : 0;
}

/* "" if the column is not recorded. */
static void format_count(const struct tally *tally, const struct row *row, int column,
                         char text_r[24])
{
    text_r[0] = '\0';
    if (column != USED || tally->has_uses)
        snprintf(text_r, 24, "%zu", row->count[column]);
}

/* The share of users with MFA enforced, and announced. */
static void draw_bar(const struct row *row, char bar_r[BAR_WIDTH + 1])
{
    size_t users = row->count[USERS] > 0 ? row->count[USERS] : 1;
    size_t enforced = row->count[ENFORCED] * BAR_WIDTH / users;
    size_t on = (row->count[ENFORCED] + row->count[ANNOUNCED]) * BAR_WIDTH / users;

    for (size_t i = 0; i < BAR_WIDTH; i++)
        bar_r[i] = i < enforced ? '#' : i < on ? '+' : '.';
    bar_r[BAR_WIDTH] = '\0';
}

struct layout {
    int value_width;
    bool with_bars;
};

static int print_line(const struct layout *layout, const struct tally *tally, const char *name,
                      const struct row *row)
{
    int width = layout->value_width - (int)apw_utf8_characters(name, strlen(name));
    char text[COLUMN_COUNT][24], bar[BAR_WIDTH + 1] = "";

    for (int i = 0; i < COLUMN_COUNT; i++) {
        format_count(tally, row, i, text[i]);
        if (text[i][0] == '\0')
            strcpy(text[i], "-");
    }
    if (layout->with_bars)
        draw_bar(row, bar);
    apw_output_line("%s%*s  %5s  %12s  %9s  %8s  %12s  %15s%s%s", name, width > 0 ? width : 0, "",
                    text[USERS], text[ENFORCED], text[ANNOUNCED], text[ENROLLED], text[HAVE_ONE],
                    text[USED], layout->with_bars ? "  " : "", bar);
    return 0;
}

static int print_text_row(void *context, const struct tally *tally, const struct row *row)
{
    return print_line(context, tally, row->value == NULL ? "-" : row->value, row);
}

static void print_text(const struct tally *tally)
{
    struct layout layout = {.value_width = 3, .with_bars = isatty(STDOUT_FILENO) == 1};

    for (size_t i = 0; i < tally->count; i++) {
        int width = (int)apw_utf8_characters(tally->row[i].value, strlen(tally->row[i].value));

        if (width > layout.value_width)
            layout.value_width = width;
    }
    apw_output_line("%*s  %5s  %12s  %9s  %8s  %12s  %15s%s", layout.value_width, "",
                    headers[USERS], headers[ENFORCED], headers[ANNOUNCED], headers[ENROLLED],
                    headers[HAVE_ONE], headers[USED],
                    layout.with_bars ? "  MFA: # enforced, + announced" : "");
    each_row(tally, print_text_row, &layout);
    print_line(&layout, tally, "all", &tally->total);
}

static int print_csv_row(void *context, const struct tally *tally, const struct row *row)
{
    char text[24];

    (void)context;
    if (tally->by != NULL)
        apw_csv_print_cell(row->value == NULL ? "" : row->value, ',');
    for (int i = 0; i < COLUMN_COUNT; i++) {
        format_count(tally, row, i, text);
        apw_csv_print_cell(text, i == COLUMN_COUNT - 1 ? '\n' : ',');
    }
    return 0;
}

/* One row for each value, or one for all users: nothing that a sum would count twice. */
static void print_csv(const struct tally *tally)
{
    if (tally->by != NULL)
        printf("%s,", tally->by);
    for (int i = 0; i < COLUMN_COUNT; i++)
        printf("%s%c", keys[i], i == COLUMN_COUNT - 1 ? '\n' : ',');
    if (tally->by == NULL)
        print_csv_row(NULL, tally, &tally->total);
    else
        each_row(tally, print_csv_row, NULL);
}

static int set_counts(json_t *object, const struct tally *tally, const struct row *row)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (json_object_set_new(object, keys[i],
                                i == USED && !tally->has_uses
                                    ? json_null()
                                    : json_integer((json_int_t)row->count[i])) != 0)
            return -1;
    return 0;
}

static int append_row(void *array, const struct tally *tally, const struct row *row)
{
    json_t *object =
        json_pack("{s:o}", "value", row->value == NULL ? json_null() : json_string(row->value));

    if (object != NULL && set_counts(object, tally, row) == 0)
        return json_array_append_new(array, object);
    json_decref(object);
    return -1;
}

/* The total; with an attribute, its name and an array of rows, too. */
static int print_json(const struct tally *tally)
{
    json_t *object = json_object(), *rows = json_array();
    int status = object == NULL || rows == NULL ? -1 : set_counts(object, tally, &tally->total);

    if (status == 0 && tally->by != NULL)
        status = each_row(tally, append_row, rows) != 0 ||
                         json_object_set_new(object, "by", json_string(tally->by)) != 0 ||
                         json_object_set(object, "rows", rows) != 0
                     ? -1
                     : 0;
    if (status == 0) {
        status =
            json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
        putchar('\n');
    }
    json_decref(rows);
    json_decref(object);
    return status;
}

static int print(const struct tally *tally, enum apw_report_format format)
{
    switch (format) {
    case APW_REPORT_TEXT:
        print_text(tally);
        break;
    case APW_REPORT_JSON:
        return print_json(tally);
    case APW_REPORT_CSV:
        print_csv(tally);
        break;
    }
    return 0;
}

/* ---- the report ---- */

bool apw_report_progress_is_attribute(const char *name)
{
    static const char *const secret[] = {"appPassword", "appPasswordMfaMethod", "userPassword"};

    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (strcasecmp(name, secret[i]) == 0)
            return false;
    return name[0] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               strlen(name);
}

static void say_notes(const struct apw_config *config, const struct tally *tally)
{
    if (!tally->has_uses)
        apw_say(NULL, "last use is not recorded here, or no app password was used within 30 days "
                      "(record_use in app-password.conf turns recording on)");
    if (tally->by != NULL && tally->count == 0)
        apw_say(NULL, "--by %s: no user has this attribute, or this identity may not read it",
                tally->by);
    if (config->mfa_enforcement == APW_MFA_REPORT)
        apw_say(NULL, "mfa_enforcement in %s is report: account passwords still work",
                config->path);
}

enum apw_status apw_report_progress(const struct apw_manager *manager, const char *by,
                                    enum apw_report_format format)
{
    struct tally tally = {.now = (int64_t)time(NULL), .by = by, .result = APW_MANAGE_DONE};
    struct apw_error error = {""};
    enum apw_manage_result result = count_all(manager, &tally, &error);

    tally.has_uses = tally.total.count[USED] > 0;
    if (result == APW_MANAGE_DONE && print(&tally, format) != 0) {
        apw_error_set(&error, "out of memory");
        result = APW_MANAGE_UNAVAILABLE;
    }
    if (result == APW_MANAGE_DONE)
        say_notes(manager->config, &tally);
    else
        apw_say(NULL, "users cannot be counted: %s", error.text);
    for (size_t i = 0; i < tally.count; i++)
        free(tally.row[i].value);
    free(tally.row);
    return apw_status_of(result);
}
