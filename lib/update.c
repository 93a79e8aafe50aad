/* SPDX-License-Identifier: BSD-2-Clause */
#include "update.h"
#include <stddef.h>

/* Give up after this many concurrent changes. */
#define TRIES_MAX 5

enum apw_manage_result apw_update_user(const struct apw_manager *manager,
                                       const struct apw_target *target, apw_update_change change,
                                       void *context, struct apw_error *error)
{
    if (target->user != NULL) {
        enum apw_manage_result result = change(manager, target->user, context, error);

        if (result != APW_MANAGE_CONFLICT)
            return result;
    }
    for (int i = 0; i < TRIES_MAX; i++) {
        struct apw_user *user;
        enum apw_manage_result result = apw_user_find(manager, target, &user, error);

        if (result == APW_MANAGE_DONE)
            result = change(manager, user, context, error);
        apw_user_free(&user);
        if (result != APW_MANAGE_CONFLICT)
            return result;
    }
    apw_error_set(error,
                  "somebody else keeps changing this entry, or this identity may not read all of "
                  "it; nothing was done");
    return APW_MANAGE_CONFLICT;
}

enum apw_manage_result apw_update_apply(const struct apw_manager *manager,
                                        const struct apw_user *user,
                                        const struct apw_change *changes, size_t count,
                                        struct apw_error *error)
{
    if (manager->is_dry_run)
        return APW_MANAGE_DONE;
    switch (apw_directory_modify(manager->directory, user->dn, changes, count,
                                 apw_user_deadline(manager), error)) {
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

enum apw_manage_result apw_update_delete_all(const struct apw_manager *manager,
                                             const struct apw_user *user, const char *attribute,
                                             struct apw_error *error)
{
    const struct apw_change change = {APW_CHANGE_DELETE, attribute, NULL};
    enum apw_manage_result result = apw_update_apply(manager, user, &change, 1, error);

    return result == APW_MANAGE_CONFLICT ? APW_MANAGE_UNCHANGED : result;
}
