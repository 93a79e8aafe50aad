/* SPDX-License-Identifier: BSD-2-Clause */
#include "manage.h"
#include "clock.h"
#include "hash.h"
#include "login.h"
#include "revoke_plan.h"
#include "update.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The most that one change of MFA takes: class, flag, date. */
#define MFA_CHANGES_MAX 3

static const char flag_name[] = "appPasswordMfaEnabled";

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

int apw_manage_mfa_check(const struct apw_config *config, struct apw_error *error)
{
    const char *filter = config->mfa_filter;

    for (const char *at = strcasestr(filter, flag_name); at != NULL;
         at = strcasestr(at + 1, flag_name)) {
        const char *before = at;

        while (before > filter && before[-1] == ' ')
            before--;
        if ((before == filter || before[-1] == '(') && !is_name_character(at[sizeof flag_name - 1]))
            return 0;
    }
    return apw_error_set(error,
                         "mfa_filter %s in %s does not read %s, so setting it would not turn MFA "
                         "on or off; change the attributes that the filter reads instead",
                         filter, config->path, flag_name);
}

/* The requested state of MFA. */
struct mfa_wish {
    bool is_on;
    const int64_t *enforce_from;
};

/* Plans the changes from `user` to `wish`. `enforce_from` is the wish's date as text. */
static size_t plan_mfa(const struct apw_user *user, const struct mfa_wish *wish, enum apw_mfa mfa,
                       const char *enforce_from, struct apw_change changes_r[MFA_CHANGES_MAX])
{
    bool set_flag = wish->is_on ? user->mfa_flag != APW_MFA_FLAG_TRUE
                                : user->mfa_flag == APW_MFA_FLAG_TRUE ||
                                      (user->mfa_flag == APW_MFA_FLAG_ABSENT && mfa == APW_MFA_ON);
    bool set_date = wish->enforce_from == NULL ? user->has_enforce_from
                                               : !user->is_enforce_from_readable ||
                                                     user->enforce_from != *wish->enforce_from;
    size_t count = 0;

    if (!set_flag && !set_date)
        return 0;
    if (!user->has_class)
        changes_r[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (set_flag)
        changes_r[count++] =
            (struct apw_change){APW_CHANGE_REPLACE, flag_name, wish->is_on ? "TRUE" : "FALSE"};
    if (set_date)
        changes_r[count++] = (struct apw_change){APW_CHANGE_REPLACE, "appPasswordMfaEnforceFrom",
                                                 wish->enforce_from == NULL ? NULL : enforce_from};
    return count;
}

/* mfa_filter may read more than the flag, and disagree. */
static enum apw_manage_result confirm_mfa(const struct apw_manager *manager,
                                          const struct apw_user *user, bool is_on,
                                          struct apw_error *error)
{
    enum apw_mfa mfa;

    if (manager->is_dry_run)
        return APW_MANAGE_DONE;
    /* If it cannot be read back, trust the write. */
    if (apw_user_mfa(manager, user, &mfa, error) != APW_MANAGE_DONE ||
        mfa == (is_on ? APW_MFA_ON : APW_MFA_OFF))
        return APW_MANAGE_DONE;
    apw_error_set(error, "%s is %s now, but by mfa_filter %s MFA is still %s", flag_name,
                  is_on ? "TRUE" : "not TRUE", manager->config->mfa_filter, is_on ? "off" : "on");
    return APW_MANAGE_REFUSED;
}

static enum apw_manage_result set_mfa(const struct apw_manager *manager,
                                      const struct apw_user *user, void *context,
                                      struct apw_error *error)
{
    const struct mfa_wish *wish = context;
    struct apw_change changes[MFA_CHANGES_MAX];
    char enforce_from[APW_TIMESTAMP_SIZE] = "";
    enum apw_manage_result result, confirmed;
    enum apw_mfa mfa;
    size_t count;

    if (apw_user_mfa(manager, user, &mfa, error) == APW_MANAGE_UNAVAILABLE)
        return APW_MANAGE_UNAVAILABLE;
    if (wish->enforce_from != NULL &&
        apw_clock_format_timestamp(*wish->enforce_from, enforce_from) != 0) {
        apw_error_set(error, "the date lies outside the years 0 to 9999");
        return APW_MANAGE_INVALID;
    }
    if (mfa == APW_MFA_UNREADABLE && manager->config->mfa_off_filter != NULL)
        mfa = APW_MFA_ON; /* off must be shown: write FALSE even if the flag is missing */
    count = plan_mfa(user, wish, mfa, enforce_from, changes);
    result =
        count == 0 ? APW_MANAGE_UNCHANGED : apw_update_apply(manager, user, changes, count, error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED)
        return result;
    confirmed = confirm_mfa(manager, user, wish->is_on, error);
    return confirmed == APW_MANAGE_DONE ? result : confirmed;
}

enum apw_manage_result apw_manage_mfa_on(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const int64_t *enforce_from, struct apw_error *error)
{
    struct mfa_wish wish = {.is_on = true, .enforce_from = enforce_from};

    if (apw_manage_mfa_check(manager->config, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    return apw_update_user(manager, target, set_mfa, &wish, error);
}

enum apw_manage_result apw_manage_mfa_off(const struct apw_manager *manager,
                                          const struct apw_target *target, struct apw_error *error)
{
    struct mfa_wish wish = {.is_on = false, .enforce_from = NULL};

    if (apw_manage_mfa_check(manager->config, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    return apw_update_user(manager, target, set_mfa, &wish, error);
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
