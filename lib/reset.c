/* SPDX-License-Identifier: BSD-2-Clause */
#include "reset.h"
#include "clock.h"
#include "field.h"
#include "method.h"
#include "method_seal.h"
#include "reminder.h"
#include "update.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORD    "reset "
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char attribute[] = "appPasswordMfaMethod";

/* ---- the value ---- */

bool apw_reset_is_value(const char *value, size_t length)
{
    return apw_field_begins(value, length, WORD);
}

static int parse_by(struct apw_field *rest, char by_r[APW_LOGIN_SIZE])
{
    struct apw_field by;
    size_t length;

    if (!apw_field_take(rest, "by", true, &by) ||
        apw_field_decode(&by, (uint8_t *)by_r, APW_LOGIN_BYTES_MAX, &length) != 0 ||
        !apw_login_is_wellformed(by_r, length))
        return -1;
    by_r[length] = '\0';
    return 0;
}

static int parse(const char *value, size_t length, struct apw_reset *reset)
{
    struct apw_field rest = {value, length}, id;

    if (!apw_reset_is_value(value, length))
        return -1;
    rest.start += sizeof WORD - 1;
    rest.length -= sizeof WORD - 1;
    return apw_field_take(&rest, "id", false, &id) && apw_password_is_id(id.start, id.length) &&
                   apw_field_copy(&id, reset->id, sizeof reset->id) == 0 &&
                   apw_field_take_time(&rest, "created", &reset->created) == 0 &&
                   apw_field_take_time(&rest, "at", &reset->at) == 0 &&
                   reset->created <= reset->at && parse_by(&rest, reset->by) == 0
               ? 0
               : -1;
}

int apw_reset_parse(const char *value, size_t length, struct apw_reset *reset_r,
                    struct apw_error *error)
{
    memset(reset_r, 0, sizeof *reset_r);
    if (parse(value, length, reset_r) == 0)
        return 0;
    memset(reset_r, 0, sizeof *reset_r);
    return apw_error_set(error, "malformed reset");
}

int apw_reset_format(const struct apw_reset *reset, char value_r[APW_RESET_VALUE_SIZE],
                     struct apw_error *error)
{
    char created[APW_TIMESTAMP_SIZE], at[APW_TIMESTAMP_SIZE],
        by[sodium_base64_ENCODED_LEN(APW_LOGIN_BYTES_MAX, VARIANT)];
    struct apw_reset check;
    int length;

    if (apw_clock_format_timestamp(reset->created, created) != 0 ||
        apw_clock_format_timestamp(reset->at, at) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    sodium_bin2base64(by, sizeof by, (const unsigned char *)reset->by, strlen(reset->by), VARIANT);
    length = snprintf(value_r, APW_RESET_VALUE_SIZE, WORD "id=%s created=%s at=%s by=%s", reset->id,
                      created, at, by);
    return apw_reset_parse(value_r, (size_t)length, &check, error);
}

/* ---- the user's ---- */

enum apw_reset_state apw_reset_read(const struct apw_user *user, int64_t now,
                                    struct apw_reset *reset_r, struct apw_error *error)
{
    enum apw_reset_state state = APW_RESET_NONE;

    memset(reset_r, 0, sizeof *reset_r);
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];
        struct apw_reset one;

        if (!apw_reset_is_value(value->bytes, value->length))
            continue;
        if (apw_reset_parse(value->bytes, value->length, &one, error) != 0) {
            apw_error_set(error, "%s: %s; app-password mfa reset removes it", user->dn,
                          error->text);
            memset(reset_r, 0, sizeof *reset_r);
            return APW_RESET_UNREADABLE;
        }
        if (now >= one.at + APW_RESET_SECONDS || (state != APW_RESET_NONE && one.at >= reset_r->at))
            continue;
        *reset_r = one;
        state = now < one.at ? APW_RESET_WAITING : APW_RESET_DUE;
    }
    return state;
}

/* ---- changing ---- */

/* Which values a change removes. */
typedef bool (*choice)(const struct apw_value *value);

static bool is_reset(const struct apw_value *value)
{
    return apw_reset_is_value(value->bytes, value->length);
}

static bool goes_with_factors(const struct apw_value *value)
{
    return !apw_method_is_code(value->bytes, value->length) &&
           !apw_reminder_is_value(value->bytes, value->length);
}

/* Each value that was read is deleted by itself: a concurrent change of one of them makes this one
 * fail. `added` may be NULL. */
static enum apw_manage_result change(const struct apw_manager *manager, const struct apw_user *user,
                                     choice is_removed, const char *added, struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 2, sizeof *changes);
    enum apw_manage_result result = APW_MANAGE_UNCHANGED;
    size_t count = 0;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    if (!user->has_class && added != NULL)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    for (size_t i = 0; i < user->method.count; i++)
        if (is_removed(&user->method.value[i]))
            changes[count++] =
                (struct apw_change){APW_CHANGE_DELETE, attribute, user->method.value[i].bytes};
    if (added != NULL)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, attribute, added};
    if (count > 0)
        result = apw_update_apply(manager, user, changes, count, error);
    free(changes);
    return result;
}

static bool has_factor(const struct apw_user *user)
{
    for (size_t i = 0; i < user->method.count; i++)
        if (apw_method_is_sealed(user->method.value[i].bytes, user->method.value[i].length))
            return true;
    return false;
}

struct wish {
    int64_t delay_s;
    const char *by;
    struct apw_reset *reset_r;
    char value[APW_RESET_VALUE_SIZE];
};

static enum apw_manage_result request(const struct apw_manager *manager,
                                      const struct apw_user *user, void *context,
                                      struct apw_error *error)
{
    struct wish *wish = context;
    int64_t now = (int64_t)time(NULL);
    struct apw_reset *reset = wish->reset_r;

    switch (apw_reset_read(user, now, reset, error)) {
    case APW_RESET_UNREADABLE:
        return APW_MANAGE_REFUSED;
    case APW_RESET_WAITING:
    case APW_RESET_DUE:
        return APW_MANAGE_UNCHANGED;
    case APW_RESET_NONE:
        break;
    }
    if (!has_factor(user)) {
        apw_error_set(error, "%s has no second factors", user->dn);
        return APW_MANAGE_NOT_FOUND;
    }
    *reset = (struct apw_reset){.created = now, .at = now + wish->delay_s};
    apw_password_make_symbols(APW_ID_LENGTH, reset->id);
    snprintf(reset->by, sizeof reset->by, "%s", wish->by);
    if (apw_reset_format(reset, wish->value, error) != 0)
        return APW_MANAGE_INVALID;
    return change(manager, user, is_reset, wish->value, error);
}

/* Additions of different values do not conflict, so each request looks afterwards, and takes its
 * own back if there is another. */
static enum apw_manage_result check_alone(const struct apw_manager *manager,
                                          const struct apw_target *target, const char *value,
                                          struct apw_error *error)
{
    const struct apw_change deletion = {APW_CHANGE_DELETE, attribute, value};
    struct apw_user *user;
    enum apw_manage_result result = APW_MANAGE_DONE;
    size_t others = 0;

    if (apw_user_find(manager, target, &user, error) != APW_MANAGE_DONE)
        return APW_MANAGE_DONE; /* trust the write: the owner must learn of it */
    for (size_t i = 0; i < user->method.count; i++)
        others +=
            is_reset(&user->method.value[i]) && strcmp(user->method.value[i].bytes, value) != 0;
    if (others > 0) {
        apw_update_apply(manager, user, &deletion, 1, &(struct apw_error){""});
        apw_error_set(error, "somebody else asked for a reset at the same time");
        result = APW_MANAGE_CONFLICT;
    }
    apw_user_free(&user);
    return result;
}

enum apw_manage_result apw_reset_request(const struct apw_manager *manager,
                                         const struct apw_target *target, int64_t delay_s,
                                         const char *by, struct apw_reset *reset_r,
                                         struct apw_error *error)
{
    struct wish wish = {.delay_s = delay_s, .by = by, .reset_r = reset_r};
    struct apw_target again = *target;
    struct apw_manager reading = *manager;
    enum apw_manage_result result;

    memset(reset_r, 0, sizeof *reset_r);
    reading.with_enrolment = true;
    again.user = NULL;
    result = apw_update_user(&reading, &again, request, &wish, error);
    return result == APW_MANAGE_DONE ? check_alone(&reading, &again, wish.value, error) : result;
}

static enum apw_manage_result cancel(const struct apw_manager *manager, const struct apw_user *user,
                                     void *context, struct apw_error *error)
{
    (void)context;
    return change(manager, user, is_reset, NULL, error);
}

enum apw_manage_result apw_reset_cancel(const struct apw_manager *manager,
                                        const struct apw_target *target, struct apw_error *error)
{
    struct apw_manager reading = *manager;

    reading.with_enrolment = true;
    return apw_update_user(&reading, target, cancel, NULL, error);
}

static enum apw_manage_result carry_out(const struct apw_manager *manager,
                                        const struct apw_user *user, void *context,
                                        struct apw_error *error)
{
    switch (apw_reset_read(user, (int64_t)time(NULL), context, error)) {
    case APW_RESET_UNREADABLE:
        return APW_MANAGE_REFUSED;
    case APW_RESET_NONE:
    case APW_RESET_WAITING:
        return APW_MANAGE_UNCHANGED;
    case APW_RESET_DUE:
        break;
    }
    return change(manager, user, goes_with_factors, NULL, error);
}

enum apw_manage_result apw_reset_carry_out(const struct apw_manager *manager,
                                           const struct apw_target *target,
                                           struct apw_reset *reset_r, struct apw_error *error)
{
    struct apw_manager reading = *manager;

    reading.with_enrolment = true;
    return apw_update_user(&reading, target, carry_out, reset_r, error);
}
