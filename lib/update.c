/* SPDX-License-Identifier: BSD-2-Clause */
#include "update.h"
#include "rights.h"
#include <stdlib.h>
#include <string.h>

/* Give up after this many concurrent changes. */
#define TRIES_MAX 5

/* Whoever sees nothing finds nothing to do. */
static enum apw_manage_result run_change(const struct apw_manager *manager,
                                         const struct apw_user *user, apw_update_change change,
                                         void *context, struct apw_error *error)
{
    enum apw_manage_result result = change(manager, user, context, error);

    return result == APW_MANAGE_UNCHANGED || result == APW_MANAGE_NOT_FOUND
               ? apw_rights_check_after(manager, user, result, error)
               : result;
}

enum apw_manage_result apw_update_user(const struct apw_manager *manager,
                                       const struct apw_target *target, apw_update_change change,
                                       void *context, struct apw_error *error)
{
    bool is_orphan = target->user != NULL && target->user->is_orphan; /* found by no search */

    if (target->user != NULL) {
        enum apw_manage_result result = run_change(manager, target->user, change, context, error);

        if (result != APW_MANAGE_CONFLICT)
            return result;
    }
    for (int i = 0; i < TRIES_MAX && !is_orphan; i++) {
        struct apw_user *user;
        enum apw_manage_result result = apw_user_find(manager, target, &user, error);

        if (result == APW_MANAGE_DONE)
            result = run_change(manager, user, change, context, error);
        apw_user_free(&user);
        if (result != APW_MANAGE_CONFLICT)
            return result;
    }
    apw_error_set(error,
                  "somebody else keeps changing this entry, or this identity may not read all of "
                  "it; nothing was done");
    return APW_MANAGE_CONFLICT;
}

/* The changes that make a new entry of the store: what it is and whose, then the values that
 * `changes` add or set. Returns their number; 0 if they delete what cannot be there. */
static size_t plan_entry(const struct apw_manager *manager, const struct apw_user *user,
                         const struct apw_change *changes, size_t count, struct apw_change *plan)
{
    bool needs_flag = manager->config->store.has_mfa;
    size_t planned = 0;

    plan[planned++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", "appPasswordEntry"};
    plan[planned++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    plan[planned++] = (struct apw_change){APW_CHANGE_ADD, "appPasswordOwner", user->unique_id};
    plan[planned++] = (struct apw_change){APW_CHANGE_ADD, "uid", user->name}; /* a remark */
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == APW_CHANGE_DELETE)
            return 0;
        if (changes[i].value == NULL)
            continue;
        plan[planned++] =
            (struct apw_change){APW_CHANGE_ADD, changes[i].attribute, changes[i].value};
        if (strcmp(changes[i].attribute, "appPasswordMfaEnabled") == 0)
            needs_flag = false;
    }
    if (needs_flag)
        plan[planned++] =
            (struct apw_change){APW_CHANGE_ADD, "appPasswordMfaEnabled",
                                manager->config->store.is_mfa_off_by_default ? "FALSE" : "TRUE"};
    return planned;
}

#define PLAN_EXTRA 5 /* what plan_entry() adds */

static enum apw_ldap_result add_entry(const struct apw_manager *manager,
                                      const struct apw_user *user, const struct apw_change *changes,
                                      size_t count, struct apw_error *error)
{
    struct apw_change *plan = calloc(count + PLAN_EXTRA, sizeof *plan);
    enum apw_ldap_result result = APW_LDAP_CONFLICT;
    size_t planned;

    if (plan == NULL) {
        apw_error_set(error, "out of memory");
        return APW_LDAP_UNAVAILABLE;
    }
    planned = plan_entry(manager, user, changes, count, plan);
    if (planned > 0)
        result = apw_directory_add(manager->store, user->holder_dn, plan, planned,
                                   apw_user_deadline(manager), error);
    free(plan);
    return result;
}

static enum apw_ldap_result write_changes(const struct apw_manager *manager,
                                          const struct apw_user *user,
                                          const struct apw_change *changes, size_t count,
                                          struct apw_error *error)
{
    struct apw_directory *holder =
        apw_config_has_store(manager->config) ? manager->store : manager->directory;

    if (!user->has_holder)
        return add_entry(manager, user, changes, count, error);
    return apw_directory_modify(holder, user->holder_dn, changes, count, apw_user_deadline(manager),
                                error);
}

static enum apw_manage_result result_of(enum apw_ldap_result result)
{
    switch (result) {
    case APW_LDAP_OK:
        return APW_MANAGE_DONE;
    case APW_LDAP_NO_SUCH_OBJECT:
        return APW_MANAGE_NOT_FOUND;
    case APW_LDAP_NOT_PERMITTED:
        return APW_MANAGE_NOT_PERMITTED;
    case APW_LDAP_CONFLICT:
        return APW_MANAGE_CONFLICT;
    case APW_LDAP_READ_ONLY:
    case APW_LDAP_REFUSED:
        return APW_MANAGE_REFUSED;
    case APW_LDAP_UNAVAILABLE:
        break;
    }
    return APW_MANAGE_UNAVAILABLE;
}

enum apw_manage_result apw_update_apply(const struct apw_manager *manager,
                                        const struct apw_user *user,
                                        const struct apw_change *changes, size_t count,
                                        struct apw_error *error)
{
    if (manager->is_dry_run)
        return APW_MANAGE_DONE;
    return apw_rights_explain(
        manager, user, result_of(write_changes(manager, user, changes, count, error)), error);
}

enum apw_manage_result apw_update_delete_all(const struct apw_manager *manager,
                                             const struct apw_user *user, const char *attribute,
                                             struct apw_error *error)
{
    const struct apw_change change = {APW_CHANGE_DELETE, attribute, NULL};
    enum apw_manage_result result = apw_update_apply(manager, user, &change, 1, error);

    return result == APW_MANAGE_CONFLICT ? APW_MANAGE_UNCHANGED : result;
}
