/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin_file: which admin.conf names the administrator.
 */
#ifndef APW_ADMIN_FILE_H
#define APW_ADMIN_FILE_H

#include "invocation.h"
#include <limits.h>
#include <stdbool.h>

struct apw_admin_file {
    char path[PATH_MAX]; /* that of the whole host if there is no file */
    bool exists;         /* also true if it cannot be examined: reading it then reports the error */
    bool is_personal;
};

/* The calling user's own file, unless -c names another configuration, because its password belongs
 * to the servers of this host's; else the one in the folder of the configuration. */
void apw_admin_file_find(const struct apw_invocation *invocation, struct apw_admin_file *file_r);

#endif
