/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrolment.h"
#include "hash.h"
#include "method.h"
#include "reminder.h"
#include "update.h"
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

static const char method_name[] = "appPasswordMfaMethod";

static void append(enum apw_change_kind kind, const char *value, struct apw_change *changes,
                   size_t *count)
{
    if (value != NULL)
        changes[(*count)++] = (struct apw_change){kind, method_name, value};
}

static bool is_reminder(const struct apw_value *value)
{
    return apw_reminder_is_value(value->bytes, value->length);
}

static size_t count_reminders(const struct apw_user *user)
{
    size_t count = 0;

    for (size_t i = 0; i < user->method.count; i++)
        count += is_reminder(&user->method.value[i]);
    return count;
}

/* Deletes all values, even those that cannot be named, and adds the reminders again: they are
 * there, so the first change cannot fail. */
static void delete_all_but_reminders(const struct apw_user *user, struct apw_change *changes,
                                     size_t *count)
{
    changes[(*count)++] = (struct apw_change){APW_CHANGE_DELETE, method_name, NULL};
    for (size_t i = 0; i < user->method.count; i++)
        if (is_reminder(&user->method.value[i]))
            append(APW_CHANGE_ADD, user->method.value[i].bytes, changes, count);
}

/* Does not rely on what it could read, unless there are reminders: they show that it can. */
static enum apw_manage_result reset(const struct apw_manager *manager, const struct apw_user *user,
                                    void *context, struct apw_error *error)
{
    size_t reminders = count_reminders(user), count = 0;
    enum apw_manage_result result;
    struct apw_change *changes;

    (void)context;
    if (reminders == 0)
        return apw_update_delete_all(manager, user, method_name, error);
    if (reminders == user->method.count)
        return APW_MANAGE_UNCHANGED;
    changes = calloc(reminders + 1, sizeof *changes);
    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    delete_all_but_reminders(user, changes, &count);
    result = apw_update_apply(manager, user, changes, count, error);
    free(changes);
    return result;
}

enum apw_manage_result apw_enrolment_reset(const struct apw_manager *manager,
                                           const struct apw_target *target, struct apw_error *error)
{
    struct apw_manager reading = *manager;
    struct apw_target again = *target;

    reading.with_enrolment = true;
    again.user = NULL;
    return apw_update_user(&reading, &again, reset, NULL, error);
}

/* Removes the codes as well; with `all`, everything but reminders. */
static enum apw_manage_result apply(const struct apw_manager *manager, const struct apw_user *user,
                                    bool all, const struct apw_enrolment_change *change,
                                    struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 6, sizeof *changes);
    bool is_replacing = all && count_reminders(user) == 0;
    enum apw_manage_result result;
    size_t count = 0;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    if (!user->has_class)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (all && !is_replacing)
        delete_all_but_reminders(user, changes, &count);
    for (size_t i = 0; i < user->method.count && !all; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_method_is_code(value->bytes, value->length))
            append(APW_CHANGE_DELETE, value->bytes, changes, &count);
    }
    for (size_t i = 0; i < 2; i++)
        append(APW_CHANGE_DELETE, change->removed[i], changes, &count);
    for (size_t i = 0; i < 2; i++)
        append(is_replacing ? APW_CHANGE_REPLACE : APW_CHANGE_ADD, change->added[i], changes,
               &count);
    result = apw_update_apply(manager, user, changes, count, error);
    free(changes);
    return result;
}

struct code_wish {
    bool reset;
    char value[APW_METHOD_VALUE_SIZE];
};

static enum apw_manage_result store_code(const struct apw_manager *manager,
                                         const struct apw_user *user, void *context,
                                         struct apw_error *error)
{
    const struct code_wish *wish = context;

    return apply(manager, user, wish->reset, &(struct apw_enrolment_change){.added = {wish->value}},
                 error);
}

enum apw_manage_result apw_enrolment_make_code(const struct apw_manager *manager,
                                               const struct apw_target *target, bool reset,
                                               struct apw_password *code_r, struct apw_error *error)
{
    struct apw_enrolment_code stored = {.created = (int64_t)time(NULL)};
    struct apw_manager reading = *manager;
    struct code_wish wish = {.reset = reset};
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    struct apw_password code;

    sodium_memzero(code_r, sizeof *code_r);
    reading.with_enrolment = true;
    stored.expires = stored.created + APW_ENROLMENT_CODE_SECONDS;
    apw_password_make(&code);
    if (apw_hash_make(&code, manager->config->hash_memory_mib, manager->config->hash_passes,
                      stored.hash, error) == 0 &&
        apw_method_format_code(&stored, wish.value, error) == 0)
        result = apw_update_user(&reading, target, store_code, &wish, error);
    if (result == APW_MANAGE_DONE)
        *code_r = code;
    sodium_memzero(&code, sizeof code);
    return result;
}

enum apw_manage_result apw_enrolment_change_methods(const struct apw_manager *manager,
                                                    const struct apw_user *user,
                                                    const struct apw_enrolment_change *change,
                                                    struct apw_error *error)
{
    return apply(manager, user, false, change, error);
}

enum apw_manage_result apw_enrolment_remove_method(const struct apw_manager *manager,
                                                   const struct apw_user *user, const char *value,
                                                   struct apw_error *error)
{
    const struct apw_change change = {APW_CHANGE_DELETE, method_name, value};
    enum apw_manage_result result = apw_update_apply(manager, user, &change, 1, error);

    return result == APW_MANAGE_CONFLICT ? APW_MANAGE_UNCHANGED : result;
}
