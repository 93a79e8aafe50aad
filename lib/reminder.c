/* SPDX-License-Identifier: BSD-2-Clause */
#include "reminder.h"
#include "clock.h"
#include "field.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD  "reminder "
#define DAY_S 86400

static const char attribute[] = APW_REMINDER_ATTRIBUTE;

/* The name, and which fields follow it. */
static const struct kind {
    const char *name;
    bool has_id, has_of, has_day;
} kinds[APW_REMINDER_KIND_COUNT] = {
    [APW_REMINDER_MFA_ANNOUNCED] = {"mfa-announced", .has_of = true},
    [APW_REMINDER_MFA_WEEK] = {"mfa-week", .has_of = true},
    [APW_REMINDER_MFA_TODAY] = {"mfa-today", .has_of = true},
    [APW_REMINDER_MADE] = {"made", .has_id = true},
    [APW_REMINDER_EXPIRING_14] = {"expiring-14", .has_id = true, .has_of = true},
    [APW_REMINDER_EXPIRING_3] = {"expiring-3", .has_id = true, .has_of = true},
    [APW_REMINDER_UNUSED] = {"unused", .has_id = true, .has_of = true},
    [APW_REMINDER_UNUSED_REVOKE] = {"unused-revoke", true, true, true},
    [APW_REMINDER_YEARLY] = {"yearly", .has_of = true},
};

const char *apw_reminder_kind_name(enum apw_reminder_kind kind)
{
    return kinds[kind].name;
}

/* ---- the value ---- */

bool apw_reminder_is_value(const char *value, size_t length)
{
    return apw_field_begins(value, length, WORD);
}

static int read_kind(struct apw_field *rest, enum apw_reminder_kind *kind_r)
{
    struct apw_field name;

    if (!apw_field_take(rest, "kind", false, &name))
        return -1;
    for (int kind = 0; kind < APW_REMINDER_KIND_COUNT; kind++)
        if (strlen(kinds[kind].name) == name.length &&
            memcmp(kinds[kind].name, name.start, name.length) == 0) {
            *kind_r = (enum apw_reminder_kind)kind;
            return 0;
        }
    return -1;
}

static int read_id(struct apw_field *rest, char id_r[APW_ID_LENGTH + 1])
{
    struct apw_field id;

    return apw_field_take(rest, "id", false, &id) && apw_password_is_id(id.start, id.length)
               ? apw_field_copy(&id, id_r, APW_ID_LENGTH + 1)
               : -1;
}

static int read_of(struct apw_field *rest, int64_t *of_r)
{
    return apw_field_take_time(rest, "of", of_r) == 0 && *of_r != 0 ? 0 : -1;
}

static int read_day(struct apw_field *rest, struct apw_reminder *reminder)
{
    int64_t day = 0;

    if (apw_field_take_time(rest, "tried", &reminder->tried) == 0)
        day = reminder->tried;
    else if (apw_field_take_time(rest, "sent", &reminder->sent) == 0)
        day = reminder->sent;
    return day > 0 && day % DAY_S == 0 ? 0 : -1;
}

static int parse(const char *value, size_t length, struct apw_reminder *reminder)
{
    struct apw_field rest = {value, length};
    const struct kind *kind;

    if (!apw_reminder_is_value(value, length) || value[length - 1] == ' ')
        return -1;
    rest.start += sizeof WORD - 1;
    rest.length -= sizeof WORD - 1;
    if (read_kind(&rest, &reminder->kind) != 0)
        return -1;
    kind = &kinds[reminder->kind];
    return (!kind->has_id || read_id(&rest, reminder->id) == 0) &&
                   (!kind->has_of || read_of(&rest, &reminder->of) == 0) &&
                   (!kind->has_day || read_day(&rest, reminder) == 0) && rest.length == 0
               ? 0
               : -1;
}

int apw_reminder_parse(const char *value, size_t length, struct apw_reminder *reminder_r,
                       struct apw_error *error)
{
    memset(reminder_r, 0, sizeof *reminder_r);
    if (parse(value, length, reminder_r) == 0)
        return 0;
    memset(reminder_r, 0, sizeof *reminder_r);
    return apw_error_set(error, "malformed reminder");
}

/* Appends " key=20261129101500Z". */
static int append_time(const char *key, int64_t seconds, char value[APW_REMINDER_VALUE_SIZE],
                       struct apw_error *error)
{
    size_t length = strlen(value);
    char text[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(seconds, text) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    snprintf(value + length, APW_REMINDER_VALUE_SIZE - length, " %s=%s", key, text);
    return 0;
}

int apw_reminder_format(const struct apw_reminder *reminder, char value_r[APW_REMINDER_VALUE_SIZE],
                        struct apw_error *error)
{
    struct apw_reminder check;

    snprintf(value_r, APW_REMINDER_VALUE_SIZE, WORD "kind=%s%s%s", kinds[reminder->kind].name,
             reminder->id[0] != '\0' ? " id=" : "", reminder->id);
    if ((reminder->of != 0 && append_time("of", reminder->of, value_r, error) != 0) ||
        (reminder->tried != 0 && append_time("tried", reminder->tried, value_r, error) != 0) ||
        (reminder->sent != 0 && append_time("sent", reminder->sent, value_r, error) != 0))
        return -1;
    return apw_reminder_parse(value_r, strlen(value_r), &check, error);
}

/* ---- the user's ---- */

static bool has_password(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0)
            return true;
    return false;
}

size_t apw_reminder_plan_removal(const struct apw_user *user, struct apw_change *changes_r)
{
    struct apw_reminder reminder;
    struct apw_error error;
    size_t count = 0;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_reminder_parse(value->bytes, value->length, &reminder, &error) == 0 &&
            reminder.id[0] != '\0' && !has_password(user, reminder.id))
            changes_r[count++] = (struct apw_change){APW_CHANGE_DELETE, attribute, value->bytes};
    }
    return count;
}

const char *apw_reminder_find(const struct apw_user *user, const struct apw_reminder *wanted,
                              struct apw_reminder *reminder_r)
{
    struct apw_error error;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_reminder_is_value(value->bytes, value->length) &&
            apw_reminder_parse(value->bytes, value->length, reminder_r, &error) == 0 &&
            reminder_r->kind == wanted->kind && reminder_r->of == wanted->of &&
            strcmp(reminder_r->id, wanted->id) == 0)
            return value->bytes;
    }
    memset(reminder_r, 0, sizeof *reminder_r);
    return NULL;
}

enum apw_manage_result apw_reminder_apply(const struct apw_manager *manager,
                                          const struct apw_user *user,
                                          const struct apw_reminder_change *change,
                                          struct apw_error *error)
{
    size_t most = change->deleted_count + change->added_count + 1, count = 0;
    struct apw_change *changes = calloc(most, sizeof *changes);
    char(*texts)[APW_REMINDER_VALUE_SIZE] = calloc(most, sizeof *texts);
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    int status = changes == NULL || texts == NULL ? apw_error_set(error, "out of memory") : 0;

    if (status == 0 && !user->has_class && change->added_count > 0)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    for (size_t i = 0; status == 0 && i < change->deleted_count; i++)
        changes[count++] = (struct apw_change){APW_CHANGE_DELETE, attribute, change->deleted[i]};
    for (size_t i = 0; status == 0 && i < change->added_count; i++) {
        status = apw_reminder_format(&change->added[i], texts[i], error);
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, attribute, texts[i]};
    }
    if (status == 0)
        result = count > 0 ? apw_update_apply(manager, user, changes, count, error)
                           : APW_MANAGE_UNCHANGED;
    free(texts);
    free(changes);
    return result;
}
