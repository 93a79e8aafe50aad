/* SPDX-License-Identifier: BSD-2-Clause */
#include "manage.h"
#include "clock.h"
#include "hash.h"
#include "revoke_plan.h"
#include "update.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool apw_manage_has_working_password(const struct apw_user *user, int64_t now)
{
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (password->is_usable &&
            (!password->record.has_expires || password->record.expires > now))
            return true;
    }
    return false;
}

enum apw_account_state apw_manage_account_state(const struct apw_manager *manager,
                                                const struct apw_user *user,
                                                struct apw_error *error)
{
    struct apw_world world = apw_world_of(manager->directory);

    if (user->account_state != APW_ACCOUNT_STATE_ACTIVE)
        *error = user->account_problem;
    if (user->account_state != APW_ACCOUNT_STATE_ACTIVE || manager->config->disabled_filter == NULL)
        return user->account_state;
    return apw_account_state_ask(&world, manager->config, user->dn, apw_user_deadline(manager),
                                 error);
}

static enum apw_manage_result check_active(const struct apw_manager *manager,
                                           const struct apw_user *user, struct apw_error *error)
{
    switch (apw_manage_account_state(manager, user, error)) {
    case APW_ACCOUNT_STATE_ACTIVE:
        return APW_MANAGE_DONE;
    case APW_ACCOUNT_STATE_ENDED:
    case APW_ACCOUNT_STATE_UNREADABLE:
        break;
    }
    return APW_MANAGE_ENDED;
}

struct creation {
    bool without_mfa;
    bool is_forced;
    struct apw_record record; /* but for id and hash */
    struct apw_password *password_r;
};

static enum apw_manage_result may_have_another(const struct apw_manager *manager,
                                               const struct apw_user *user, bool without_mfa,
                                               struct apw_error *error)
{
    enum apw_manage_result result = APW_MANAGE_DONE;
    enum apw_mfa mfa = APW_MFA_ON;

    if (!without_mfa)
        result = apw_user_mfa(manager, user, &mfa, error);
    if (result != APW_MANAGE_DONE)
        return result;
    if (mfa == APW_MFA_OFF) {
        apw_error_set(error, "MFA is off for this user, so the account password still opens mail; "
                             "turn MFA on first");
        return APW_MANAGE_MFA_IS_OFF;
    }
    if (user->password_count >= manager->config->max_app_passwords) {
        apw_error_set(error,
                      "there are %zu app passwords already, and max_app_passwords is %u; revoke "
                      "one that is no longer used",
                      user->password_count, manager->config->max_app_passwords);
        return APW_MANAGE_REFUSED;
    }
    return APW_MANAGE_DONE;
}

static enum apw_manage_result store(const struct apw_manager *manager, const struct apw_user *user,
                                    const struct apw_record *record, struct apw_error *error)
{
    struct apw_revoke_plan plan;
    enum apw_manage_result result;
    char value[APW_RECORD_SIZE];

    if (apw_record_format(record, value, error) != 0)
        return APW_MANAGE_INVALID;
    result = apw_revoke_plan_prune(user, record->created, &plan, error);
    if (result != APW_MANAGE_DONE)
        return result;
    if (!user->has_class)
        plan.change[plan.count++] =
            (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    plan.change[plan.count++] = (struct apw_change){APW_CHANGE_ADD, "appPassword", value};
    result = apw_update_apply(manager, user, plan.change, plan.count, error);
    apw_revoke_plan_clear(&plan);
    sodium_memzero(value, sizeof value);
    if (result == APW_MANAGE_UNAVAILABLE)
        apw_error_set(error,
                      "%s; if app password %s is listed later, revoke it: nobody has seen it",
                      error->text, record->id);
    return result;
}

static enum apw_manage_result create(const struct apw_manager *manager, const struct apw_user *user,
                                     void *context, struct apw_error *error)
{
    struct creation *creation = context;
    struct apw_record *record = &creation->record;
    enum apw_manage_result result =
        creation->is_forced ? APW_MANAGE_DONE : check_active(manager, user, error);
    struct apw_password password;

    if (result == APW_MANAGE_DONE)
        result = may_have_another(manager, user, creation->without_mfa, error);
    if (result != APW_MANAGE_DONE)
        return result;
    do {
        apw_password_make(&password);
        apw_password_id(&password, record->id);
    } while (apw_user_has_id(user, record->id));
    result = APW_MANAGE_UNAVAILABLE;
    if (apw_hash_make(&password, manager->config->hash_memory_mib, manager->config->hash_passes,
                      record->hash, error) == 0)
        result = store(manager, user, record, error);
    if (result == APW_MANAGE_DONE)
        *creation->password_r = password;
    sodium_memzero(&password, sizeof password);
    return result;
}

enum apw_manage_result apw_manage_create(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_password_spec *spec,
                                         struct apw_password *password_r, struct apw_error *error)
{
    struct creation creation = {
        .without_mfa = spec->without_mfa, .is_forced = spec->is_forced, .password_r = password_r};
    enum apw_manage_result result;

    sodium_memzero(password_r, sizeof *password_r);
    if (apw_password_spec_to_record(spec, (int64_t)time(NULL), &creation.record, error) !=
        APW_PASSWORD_SPEC_GOOD)
        return APW_MANAGE_INVALID;
    result = apw_update_user(manager, target, create, &creation, error);
    sodium_memzero(&creation, sizeof creation);
    return result;
}

static enum apw_manage_result revoke(const struct apw_manager *manager, const struct apw_user *user,
                                     void *context, struct apw_error *error)
{
    const char *id = context;
    struct apw_revoke_plan plan;
    enum apw_manage_result result =
        apw_revoke_plan_one(user, id, (int64_t)time(NULL), &plan, error);

    if (result != APW_MANAGE_DONE)
        return result;
    result = APW_MANAGE_NOT_FOUND;
    if (plan.revoked > 0)
        result = apw_update_apply(manager, user, plan.change, plan.count, error);
    else if (apw_user_has_tombstone(user, id))
        apw_error_set(error, "app password %s was revoked before", id);
    else
        apw_error_set(error, "no app password %s, or none that this identity may read", id);
    apw_revoke_plan_clear(&plan);
    return result;
}

enum apw_manage_result apw_manage_revoke(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         struct apw_error *error)
{
    char copy[APW_ID_LENGTH + 1];

    if (apw_password_id_canonicalize(id, copy) != 0) {
        apw_error_set(error, "not an id: the four symbols before the first hyphen, like k7q2");
        return APW_MANAGE_INVALID;
    }
    return apw_update_user(manager, target, revoke, copy, error);
}

/* Adds nothing if there was nothing to delete. */
static enum apw_manage_result revoke_all(const struct apw_manager *manager,
                                         const struct apw_user *user, void *context,
                                         struct apw_error *error)
{
    bool can_read = user->tombstone_count > 0;
    enum apw_manage_result result;
    struct apw_revoke_plan plan;
    size_t *count_r = context;

    *count_r = user->password_count;
    if (user->password_count == 0 && (can_read || manager->is_dry_run))
        return APW_MANAGE_UNCHANGED;
    result = apw_revoke_plan_all(user, (int64_t)time(NULL), &plan, error);
    if (result != APW_MANAGE_DONE)
        return result;
    result = apw_update_apply(manager, user, plan.change, plan.count, error);
    apw_revoke_plan_clear(&plan);
    return result == APW_MANAGE_CONFLICT && user->password_count == 0 ? APW_MANAGE_UNCHANGED
                                                                      : result;
}

enum apw_manage_result apw_manage_revoke_all(const struct apw_manager *manager,
                                             const struct apw_target *target, size_t *count_r,
                                             struct apw_error *error)
{
    size_t count = 0;
    enum apw_manage_result result = apw_update_user(manager, target, revoke_all, &count, error);

    if (count_r != NULL)
        *count_r = count;
    return result;
}
