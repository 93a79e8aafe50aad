/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin_config: admin.conf, which names who manages app passwords with the command.
 *
 * See settings.h for the syntax and the errors.
 */
#ifndef APW_ADMIN_CONFIG_H
#define APW_ADMIN_CONFIG_H

#include "error.h"
#include "identity.h"
#include <stdbool.h>

/* One that the file does not name, with a store, is not set: apw_identity_is_set(). One with a DN
 * and without a file for the password lacks it: apw_identity_needs_password(). */
struct apw_admin_config {
    struct apw_identity users; /* in the directory with the users */
    struct apw_identity store;
};

/* Reads the file. Without a store it must name somebody. A personal one, its folder, and the files
 * with its passwords must belong to the calling user, nobody else may write to them, and nobody
 * else may read a password. After -1, *admin_r is empty. */
int apw_admin_config_read(const char *path, bool has_store, bool is_personal,
                          struct apw_admin_config *admin_r, struct apw_error *error);

void apw_admin_config_wipe(struct apw_admin_config *admin); /* frees its members, too */

#endif
