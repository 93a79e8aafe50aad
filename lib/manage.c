/* SPDX-License-Identifier: BSD-2-Clause */
#include "manage.h"
#include "clock.h"
#include "hash.h"
#include "invitation.h"
#include "reminder.h"
#include "revoke_plan.h"
#include "rights.h"
#include "update.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool apw_manage_has_working_password(const struct apw_user *user, int64_t now)
{
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (password->is_usable && !password->is_outdated && password->end > now)
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
    const struct apw_password_spec *spec;
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
    if (result == APW_MANAGE_NOT_PERMITTED)
        result = apw_rights_check_after(manager, user, result, error);
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

enum apw_manage_result apw_manage_may_create(const struct apw_manager *manager,
                                             const struct apw_user *user,
                                             const struct apw_password_spec *spec,
                                             struct apw_error *error)
{
    enum apw_manage_result result =
        spec->is_forced ? APW_MANAGE_DONE : check_active(manager, user, error);

    return result == APW_MANAGE_DONE ? may_have_another(manager, user, spec->without_mfa, error)
                                     : result;
}

/* With the invitation, if there is one, which is used up in the same step, and with the record that
 * the owner learns of it. */
static enum apw_manage_result store(const struct apw_manager *manager, const struct apw_user *user,
                                    const struct creation *creation, struct apw_error *error)
{
    const struct apw_password_spec *spec = creation->spec;
    const struct apw_record *record = &creation->record;
    struct apw_reminder told = {.kind = APW_REMINDER_MADE};
    struct apw_revoke_plan plan;
    enum apw_manage_result result;
    char value[APW_RECORD_SIZE], told_value[APW_REMINDER_VALUE_SIZE];

    memcpy(told.id, record->id, sizeof told.id);
    if (apw_record_format(record, value, error) != 0 ||
        apw_reminder_format(&told, told_value, error) != 0)
        return APW_MANAGE_INVALID;
    result = apw_revoke_plan_prune(user, record->created, &plan, error);
    if (result != APW_MANAGE_DONE)
        return result;
    if (!user->has_class)
        plan.change[plan.count++] =
            (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (spec->invitation != NULL)
        plan.change[plan.count++] =
            (struct apw_change){APW_CHANGE_DELETE, APW_INVITATION_ATTRIBUTE, spec->invitation};
    if (spec->is_told)
        plan.change[plan.count++] =
            (struct apw_change){APW_CHANGE_ADD, APW_REMINDER_ATTRIBUTE, told_value};
    plan.count += apw_reminder_plan_removal(user, plan.change + plan.count);
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
    const char *invitation = creation->spec->invitation;
    struct apw_record *record = &creation->record;
    enum apw_manage_result result = apw_manage_may_create(manager, user, creation->spec, error);
    struct apw_password password;

    if (result == APW_MANAGE_DONE && invitation != NULL && !apw_user_has_method(user, invitation)) {
        apw_error_set(error, "the invitation was used or revoked in the meantime");
        result = APW_MANAGE_NOT_FOUND;
    }
    if (result != APW_MANAGE_DONE)
        return result;
    do {
        apw_password_make(&password);
        apw_password_id(&password, record->id);
    } while (apw_user_has_id(user, record->id) || apw_invitation_find_id(user, record->id) != NULL);
    result = APW_MANAGE_UNAVAILABLE;
    if (apw_hash_make(&password, manager->config->hash_memory_mib, manager->config->hash_passes,
                      record->hash, error) == 0)
        result = store(manager, user, creation, error);
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
    struct creation creation = {.spec = spec, .password_r = password_r};
    enum apw_manage_result result;

    sodium_memzero(password_r, sizeof *password_r);
    if (apw_password_spec_to_record(spec, (int64_t)time(NULL), &creation.record, error) !=
        APW_PASSWORD_SPEC_GOOD)
        return APW_MANAGE_INVALID;
    apw_password_spec_limit(spec, manager->config, &creation.record);
    result = apw_update_user(manager, target, create, &creation, error);
    sodium_memzero(&creation, sizeof creation);
    return result;
}

/* ---- inviting ---- */

/* Plans to remove those that have expired; -1 if there are too many others. */
static int plan_invitations(const struct apw_user *user, int64_t now, struct apw_change *changes,
                            size_t *count, struct apw_error *error)
{
    size_t others = 0;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];
        struct apw_invitation invitation;

        if (!apw_invitation_is_value(value->bytes, value->length))
            continue;
        if (apw_invitation_parse(value->bytes, value->length, &invitation, error) == 0 &&
            now >= invitation.until)
            changes[(*count)++] =
                (struct apw_change){APW_CHANGE_DELETE, APW_INVITATION_ATTRIBUTE, value->bytes};
        else
            others++;
    }
    return others < APW_INVITATIONS_MAX
               ? 0
               : apw_error_set(error, "there are %zu invitations already; revoke some", others);
}

static enum apw_manage_result store_invitation(const struct apw_manager *manager,
                                               const struct apw_user *user,
                                               const struct apw_invitation *invitation,
                                               struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 2, sizeof *changes);
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    char value[APW_INVITATION_VALUE_SIZE];
    size_t count = 0;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    if (!user->has_class)
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (apw_invitation_format(invitation, value, error) != 0) {
        result = APW_MANAGE_INVALID;
    } else if (plan_invitations(user, invitation->record.created, changes, &count, error) != 0) {
        result = APW_MANAGE_REFUSED;
    } else {
        changes[count++] = (struct apw_change){APW_CHANGE_ADD, APW_INVITATION_ATTRIBUTE, value};
        result = apw_update_apply(manager, user, changes, count, error);
    }
    free(changes);
    return result;
}

static enum apw_manage_result invite(const struct apw_manager *manager, const struct apw_user *user,
                                     void *context, struct apw_error *error)
{
    struct apw_invitation *invitation = context;
    char *id = invitation->record.id;
    enum apw_manage_result result = check_active(manager, user, error);

    if (result == APW_MANAGE_DONE)
        result = may_have_another(manager, user, false, error);
    if (result != APW_MANAGE_DONE)
        return result;
    do
        apw_password_make_symbols(APW_ID_LENGTH, id);
    while (apw_user_has_id(user, id) || apw_invitation_find_id(user, id) != NULL);
    return store_invitation(manager, user, invitation, error);
}

enum apw_manage_result apw_manage_invite(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_manage_invitation *wish,
                                         struct apw_invitation *invitation_r,
                                         char token_r[APW_TOKEN_SIZE], struct apw_error *error)
{
    struct apw_manager reading = *manager;
    enum apw_manage_result result;

    memset(invitation_r, 0, sizeof *invitation_r);
    if (apw_password_spec_to_record(wish->spec, (int64_t)time(NULL), &invitation_r->record,
                                    error) != APW_PASSWORD_SPEC_GOOD)
        return APW_MANAGE_INVALID;
    apw_password_spec_limit(wish->spec, manager->config, &invitation_r->record);
    invitation_r->until = invitation_r->record.created + wish->valid_s;
    if (wish->factor != NULL)
        snprintf(invitation_r->factor, sizeof invitation_r->factor, "%s", wish->factor);
    apw_token_make(token_r);
    apw_token_hash(token_r, invitation_r->hash);
    reading.with_enrolment = true;
    result = apw_update_user(&reading, target, invite, invitation_r, error);
    if (result != APW_MANAGE_DONE)
        sodium_memzero(token_r, APW_TOKEN_SIZE);
    return result;
}

/* ---- revoking ---- */

/* An invitation instead of an app password. NOT_FOUND if there is none with that id. */
static enum apw_manage_result revoke_invitation(const struct apw_manager *manager,
                                                const struct apw_user *user, const char *id,
                                                struct apw_error *error)
{
    const char *value = apw_invitation_find_id(user, id);
    const struct apw_change change = {APW_CHANGE_DELETE, APW_INVITATION_ATTRIBUTE, value};

    if (value != NULL)
        return apw_update_apply(manager, user, &change, 1, error);
    if (apw_user_has_tombstone(user, id))
        apw_error_set(error, "app password %s was revoked before", id);
    else
        apw_error_set(error, "no app password %s, or none that this identity may read", id);
    return APW_MANAGE_NOT_FOUND;
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
    result = plan.revoked > 0 ? apw_update_apply(manager, user, plan.change, plan.count, error)
                              : revoke_invitation(manager, user, id, error);
    apw_revoke_plan_clear(&plan);
    return result;
}

static int read_id(const char *typed, char id_r[APW_ID_LENGTH + 1], struct apw_error *error)
{
    return apw_password_id_canonicalize(typed, id_r) == 0
               ? 0
               : apw_error_set(error,
                               "not an id: the four symbols before the first hyphen, like k7q2");
}

enum apw_manage_result apw_manage_revoke(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         struct apw_error *error)
{
    char copy[APW_ID_LENGTH + 1];

    return read_id(id, copy, error) == 0 ? apw_update_user(manager, target, revoke, copy, error)
                                         : APW_MANAGE_INVALID;
}

struct naming {
    char id[APW_ID_LENGTH + 1];
    const char *label;
};

static const struct apw_managed_password *find_password(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0)
            return &user->password[i];
    return NULL;
}

/* Writes the record, which has another label than this value, in place of it. */
static enum apw_manage_result replace(const struct apw_manager *manager,
                                      const struct apw_user *user,
                                      const struct apw_managed_password *password,
                                      const struct apw_record *record, struct apw_error *error)
{
    char value[APW_RECORD_SIZE];
    /* Deleted first: a value that somebody else has revoked does not come back. */
    const struct apw_change changes[] = {{APW_CHANGE_DELETE, "appPassword", password->value},
                                         {APW_CHANGE_ADD, "appPassword", value}};
    enum apw_manage_result result = APW_MANAGE_INVALID;

    if (apw_record_format(record, value, error) == 0)
        result = apw_update_apply(manager, user, changes, 2, error);
    sodium_memzero(value, sizeof value);
    return result;
}

static enum apw_manage_result rename_one(const struct apw_manager *manager,
                                         const struct apw_user *user, void *context,
                                         struct apw_error *error)
{
    const struct naming *naming = context;
    const struct apw_managed_password *password = find_password(user, naming->id);
    enum apw_manage_result result = APW_MANAGE_UNCHANGED;
    struct apw_record record;

    if (password == NULL) {
        apw_error_set(error, "no app password %s, or none that this identity may read", naming->id);
        return APW_MANAGE_NOT_FOUND;
    }
    if (!password->has_record || strlen(password->value) != password->length) {
        apw_error_set(error, "app password %s is unusable", naming->id);
        return APW_MANAGE_INVALID;
    }
    record = password->record;
    snprintf(record.label, sizeof record.label, "%s", naming->label);
    if (strcmp(password->record.label, naming->label) != 0)
        result = replace(manager, user, password, &record, error);
    sodium_memzero(&record, sizeof record);
    return result;
}

enum apw_manage_result apw_manage_rename(const struct apw_manager *manager,
                                         const struct apw_target *target, const char *id,
                                         const char *label, struct apw_error *error)
{
    struct naming naming = {.label = label};

    if (read_id(id, naming.id, error) != 0 ||
        apw_record_check_label(label, strlen(label), error) != 0)
        return APW_MANAGE_INVALID;
    return apw_update_user(manager, target, rename_one, &naming, error);
}

/* UNCHANGED if there are none. */
static enum apw_manage_result revoke_invitations(const struct apw_manager *manager,
                                                 const struct apw_user *user, void *context,
                                                 struct apw_error *error)
{
    struct apw_change *changes = calloc(user->method.count + 1, sizeof *changes);
    enum apw_manage_result result = APW_MANAGE_UNCHANGED;
    size_t count = 0, *count_r = context;

    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    count = apw_invitation_plan_removal(user, changes);
    if (count > 0)
        result = apw_update_apply(manager, user, changes, count, error);
    free(changes);
    *count_r = count;
    return result;
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
    struct apw_manager reading = *manager;
    struct apw_target fresh = *target;
    enum apw_manage_result invitations, result;
    size_t count = 0, links = 0;

    /* Invitations first: one that is used meanwhile makes an app password that is revoked next. A
     * user in hand is read again if it was read without them, or may have such an app password. */
    reading.with_enrolment = true;
    if (target->user != NULL && !target->user->is_orphan &&
        (!manager->with_enrolment || apw_invitation_count(target->user) > 0))
        fresh.user = NULL;
    invitations = apw_update_user(&reading, &fresh, revoke_invitations, &links, error);
    if (invitations != APW_MANAGE_DONE && invitations != APW_MANAGE_UNCHANGED)
        return invitations;
    result = apw_update_user(manager, &fresh, revoke_all, &count, error);
    if (count_r != NULL)
        *count_r = count + links;
    return result == APW_MANAGE_UNCHANGED ? invitations : result;
}

void apw_manage_each_id(const struct apw_user *user,
                        void (*callback)(void *context, const char *id), void *context)
{
    struct apw_invitation invitation;
    struct apw_error error;

    for (size_t i = 0; i < user->password_count; i++)
        callback(context, user->password[i].id);
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (!apw_invitation_is_value(value->bytes, value->length))
            continue;
        if (apw_invitation_parse(value->bytes, value->length, &invitation, &error) != 0)
            invitation.record.id[0] = '\0';
        callback(context, invitation.record.id);
    }
}
