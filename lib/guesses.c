/* SPDX-License-Identifier: BSD-2-Clause */
#include "guesses.h"
#include "clock.h"
#include "field.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORD      "guesses "
#define DAY_S     86400
#define COUNT_MAX 9999

static const char attribute[] = "appPasswordMfaMethod";

/* ---- the value ---- */

bool apw_guesses_is_value(const char *value, size_t length)
{
    return apw_field_begins(value, length, WORD);
}

static int parse_day(const struct apw_field *field, int64_t *day_r)
{
    int64_t seconds;

    if (apw_clock_parse_timestamp(field->start, field->length, &seconds) != 0 || seconds < DAY_S ||
        seconds % DAY_S != 0)
        return -1;
    *day_r = seconds / DAY_S;
    return 0;
}

static int parse_count(const struct apw_field *field, unsigned *count_r)
{
    *count_r = 0;
    if (field->length == 0 || field->length > 4)
        return -1;
    for (size_t i = 0; i < field->length; i++) {
        if (field->start[i] < '0' || field->start[i] > '9')
            return -1;
        *count_r = *count_r * 10 + (unsigned)(field->start[i] - '0');
    }
    return 0;
}

int apw_guesses_parse(const char *value, size_t length, struct apw_guesses *guesses_r,
                      struct apw_error *error)
{
    const size_t word_length = sizeof WORD - 1;
    struct apw_field rest, field;
    bool is_right;

    memset(guesses_r, 0, sizeof *guesses_r);
    if (!apw_guesses_is_value(value, length))
        return apw_error_set(error, "not a count of guesses");
    rest = (struct apw_field){value + word_length, length - word_length};
    is_right = apw_field_take(&rest, "day", false, &field) &&
               parse_day(&field, &guesses_r->day) == 0 &&
               apw_field_take(&rest, "count", false, &field) &&
               parse_count(&field, &guesses_r->count) == 0;
    if (is_right && apw_field_take(&rest, "told", false, &field))
        is_right = parse_day(&field, &guesses_r->told) == 0;
    if (is_right && apw_field_take(&rest, "link", false, &field))
        is_right = field.length == sizeof guesses_r->link - 1 &&
                   apw_field_copy(&field, guesses_r->link, sizeof guesses_r->link) == 0;
    if (is_right && rest.length == 0)
        return 0;
    memset(guesses_r, 0, sizeof *guesses_r);
    return apw_error_set(error, "malformed count of guesses");
}

int apw_guesses_format(const struct apw_guesses *guesses, char value_r[APW_GUESSES_VALUE_SIZE],
                       struct apw_error *error)
{
    char day[APW_TIMESTAMP_SIZE], told[APW_TIMESTAMP_SIZE];
    bool is_linked = guesses->link[0] != '\0';

    if (apw_clock_format_timestamp(guesses->day * DAY_S, day) != 0 ||
        apw_clock_format_timestamp(guesses->told * DAY_S, told) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    snprintf(value_r, APW_GUESSES_VALUE_SIZE, WORD "day=%s count=%u%s%s%s%s", day, guesses->count,
             guesses->told > 0 ? " told=" : "", guesses->told > 0 ? told : "",
             is_linked ? " link=" : "", guesses->link);
    return 0;
}

/* ---- the entry ---- */

static void add(const struct apw_guesses *more, struct apw_guesses *sum)
{
    if (more->day > sum->day) {
        sum->day = more->day;
        sum->count = more->count;
    } else if (more->day == sum->day) {
        sum->count += more->count;
    }
    if (more->told > sum->told) {
        sum->told = more->told;
        memcpy(sum->link, more->link, sizeof sum->link);
    }
}

int apw_guesses_read(const struct apw_user *user, struct apw_guesses *guesses_r,
                     struct apw_error *error)
{
    struct apw_guesses one;

    memset(guesses_r, 0, sizeof *guesses_r);
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (!apw_guesses_is_value(value->bytes, value->length))
            continue;
        if (apw_guesses_parse(value->bytes, value->length, &one, error) != 0)
            return apw_error_set(error, "%s: %s; app-password mfa reset removes it", user->dn,
                                 error->text);
        add(&one, guesses_r);
    }
    if (guesses_r->count > COUNT_MAX)
        guesses_r->count = COUNT_MAX;
    return 0;
}

static int64_t today(void)
{
    return (int64_t)time(NULL) / DAY_S;
}

/* A day later than tomorrow was written by a wrong clock, and would count for years. The count
 * stays, and the owner is told again. */
static void correct_days(struct apw_guesses *guesses)
{
    if (guesses->day > today() + 1)
        guesses->day = today();
    if (guesses->told > today() + 1) {
        guesses->told = 0;
        guesses->link[0] = '\0';
    }
}

/* A new day starts at zero. If the clock went back, counting continues on the newer day. */
static void begin_day(struct apw_guesses *guesses)
{
    correct_days(guesses);
    if (guesses->day >= today())
        return;
    guesses->day = today();
    guesses->count = 0;
}

/* Replaces the values that the entry was read with by this one; NULL for none. */
static enum apw_manage_result replace(const struct apw_manager *manager,
                                      const struct apw_user *user, const char *value,
                                      struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 2, sizeof *changes);
    enum apw_manage_result result;
    size_t count = 0;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    if (!user->has_class && value != NULL)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *old = &user->method.value[i];

        if (apw_guesses_is_value(old->bytes, old->length))
            changes[count++] = (struct apw_change){APW_CHANGE_DELETE, attribute, old->bytes};
    }
    if (value != NULL)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, attribute, value};
    result = count == 0 ? APW_MANAGE_DONE : apw_update_apply(manager, user, changes, count, error);
    free(changes);
    return result;
}

struct update {
    apw_guesses_change change;
    void *context;
};

static enum apw_manage_result update(const struct apw_manager *manager, const struct apw_user *user,
                                     void *context, struct apw_error *error)
{
    const struct update *update = context;
    struct apw_guesses guesses;
    char value[APW_GUESSES_VALUE_SIZE];

    if (apw_guesses_read(user, &guesses, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    begin_day(&guesses);
    if (!update->change(&guesses, update->context))
        return APW_MANAGE_UNCHANGED;
    if (apw_guesses_format(&guesses, value, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    return replace(manager, user, guesses.count == 0 && guesses.told == 0 ? NULL : value, error);
}

enum apw_manage_result apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                          apw_guesses_change change, void *context,
                                          struct apw_error *error)
{
    struct update wanted = {change, context};

    return apw_update_user(manager, &(struct apw_target){.dn = dn}, update, &wanted, error);
}

/* ---- the link ---- */

void apw_guesses_make_link(struct apw_guesses *guesses, char token_r[APW_TOKEN_SIZE])
{
    apw_token_make(token_r);
    guesses->told = today();
    apw_token_hash(token_r, guesses->link);
}

bool apw_guesses_use_link(struct apw_guesses *guesses, const char *token)
{
    if (guesses->told + APW_GUESSES_LINK_DAYS < today() ||
        !apw_token_has_hash(token, guesses->link)) /* no token has an empty hash */
        return false;
    guesses->link[0] = '\0';
    return true;
}
