/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update: reads one user's entry and changes it.
 */
#ifndef APW_UPDATE_H
#define APW_UPDATE_H

#include "error.h"
#include "ldap/modify.h"
#include "user.h"
#include <stddef.h>

/* The class that an entry needs for our attributes. */
#define APW_UPDATE_CLASS "appPasswordAccount"

/* Changes the entry as it was read. After APW_MANAGE_CONFLICT it is called again with the entry as
 * it is then. */
typedef enum apw_manage_result (*apw_update_change)(const struct apw_manager *manager,
                                                    const struct apw_user *user, void *context,
                                                    struct apw_error *error);

/* Finds the user and calls `change`, a few times if somebody else changes the entry meanwhile. */
enum apw_manage_result apw_update_user(const struct apw_manager *manager,
                                       const struct apw_target *target, apw_update_change change,
                                       void *context, struct apw_error *error);

/* Makes all changes of the entry with our attributes, or none; adds it to the store if it is not
 * there yet. Writes nothing with `is_dry_run`. */
enum apw_manage_result apw_update_apply(const struct apw_manager *manager,
                                        const struct apw_user *user,
                                        const struct apw_change *changes, size_t count,
                                        struct apw_error *error);

/* Deletes all values of an attribute; UNCHANGED if there are none. Does not read them first: an
 * identity without that right would see none and report success. */
enum apw_manage_result apw_update_delete_all(const struct apw_manager *manager,
                                             const struct apw_user *user, const char *attribute,
                                             struct apw_error *error);

#endif
