/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrolment.h"
#include "hash.h"
#include "method.h"
#include "update.h"
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

static const char method_name[] = "appPasswordMfaMethod";

static enum apw_manage_result reset(const struct apw_manager *manager, const struct apw_user *user,
                                    void *context, struct apw_error *error)
{
    (void)context;
    return apw_update_delete_all(manager, user, method_name, error);
}

enum apw_manage_result apw_enrolment_reset(const struct apw_manager *manager,
                                           const struct apw_target *target, struct apw_error *error)
{
    return apw_update_user(manager, target, reset, NULL, error);
}

/* Appends deletions of the enrollment codes that the user was read with, and of `old` unless NULL.
 */
static void plan_removal(const struct apw_user *user, const char *old, struct apw_change *changes,
                         size_t *count)
{
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_method_is_code(value->bytes, value->length))
            changes[(*count)++] = (struct apw_change){APW_CHANGE_DELETE, method_name, value->bytes};
    }
    if (old != NULL)
        changes[(*count)++] = (struct apw_change){APW_CHANGE_DELETE, method_name, old};
}

/* Replaces the codes and `old` with `value`; with `all`, everything. */
static enum apw_manage_result replace_method(const struct apw_manager *manager,
                                             const struct apw_user *user, bool all, const char *old,
                                             const char *value, struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 3, sizeof *changes);
    enum apw_manage_result result;
    size_t count = 0;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    if (!user->has_class)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (!all)
        plan_removal(user, old, changes, &count);
    changes[count++] =
        (struct apw_change){all ? APW_CHANGE_REPLACE : APW_CHANGE_ADD, method_name, value};
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

    return replace_method(manager, user, wish->reset, NULL, wish->value, error);
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

enum apw_manage_result apw_enrolment_set_method(const struct apw_manager *manager,
                                                const struct apw_user *user, const char *old,
                                                const char *value, struct apw_error *error)
{
    return replace_method(manager, user, false, old, value, error);
}

enum apw_manage_result apw_enrolment_remove_method(const struct apw_manager *manager,
                                                   const struct apw_user *user, const char *value,
                                                   struct apw_error *error)
{
    const struct apw_change change = {APW_CHANGE_DELETE, method_name, value};
    enum apw_manage_result result = apw_update_apply(manager, user, &change, 1, error);

    return result == APW_MANAGE_CONFLICT ? APW_MANAGE_UNCHANGED : result;
}
