/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin_file.h"
#include "settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IN_FOLDER "app-password/admin.conf"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* XDG Base Directory Specification: a relative folder is ignored. secure_getenv() ignores all of
 * the environment in a program that is setuid. */
static bool find_personal(char path_r[PATH_MAX])
{
    const char *folder = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");
    int length;

    if (folder != NULL && *folder == '/')
        length = snprintf(path_r, PATH_MAX, "%s/" IN_FOLDER, folder);
    else if (home != NULL && *home == '/')
        length = snprintf(path_r, PATH_MAX, "%s/.config/" IN_FOLDER, home);
    else
        return false;
    return length < PATH_MAX && exists(path_r);
}

void apw_admin_file_find(const struct apw_invocation *invocation, struct apw_admin_file *file_r)
{
    struct apw_error error = {""};

    file_r->is_personal = invocation->is_default_config && find_personal(file_r->path);
    file_r->exists = file_r->is_personal ||
                     apw_settings_sibling(invocation->config_path, "admin.conf", file_r->path,
                                          sizeof file_r->path, &error) != 0 ||
                     exists(file_r->path);
}
