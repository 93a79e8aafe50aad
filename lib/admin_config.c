/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin_config.h"
#include "settings.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_method(struct apw_identity *identity, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"external", "gssapi", NULL};
    int choice = apw_settings_choice(value, names, error);

    if (choice < 0)
        return -1;
    identity->method = choice == 0 ? APW_BIND_EXTERNAL : APW_BIND_GSSAPI;
    return 0;
}

static struct apw_identity *users_of(void *target)
{
    return &((struct apw_admin_config *)target)->users;
}

static struct apw_identity *store_of(void *target)
{
    return &((struct apw_admin_config *)target)->store;
}

static int set_bind(void *target, const char *value, struct apw_error *error)
{
    return set_method(users_of(target), value, error);
}

static int set_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(users_of(target), value, error);
}

static int set_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(users_of(target), value, error);
}

static int set_store_bind(void *target, const char *value, struct apw_error *error)
{
    return set_method(store_of(target), value, error);
}

static int set_store_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(store_of(target), value, error);
}

static int set_store_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(store_of(target), value, error);
}

static const struct apw_key keys[] = {
    {"bind", set_bind},
    {"binddn", set_binddn},
    {"bindpw_file", set_bindpw_file},
    {"store_bind", set_store_bind},
    {"store_binddn", set_store_binddn},
    {"store_bindpw_file", set_store_bindpw_file},
};
static const struct apw_key_table table = {"app-password.conf(5)", sizeof keys / sizeof keys[0],
                                           keys};

/* A person may type the password; a password of nobody is a mistake. */
static int check_identity(const struct apw_identity *identity, const char *prefix, const char *path,
                          struct apw_error *error)
{
    if (identity->method != APW_BIND_SIMPLE && (identity->dn != NULL || identity->password != NULL))
        return apw_error_set(error, "%s: %sbind excludes %sbinddn and %sbindpw_file", path, prefix,
                             prefix, prefix);
    if (identity->method == APW_BIND_SIMPLE && identity->dn == NULL && identity->password != NULL)
        return apw_error_set(error, "%s: %sbindpw_file needs %sbinddn", path, prefix, prefix);
    return 0;
}

static int check(const struct apw_admin_config *admin, bool has_store, const char *path,
                 struct apw_error *error)
{
    if (!has_store && (apw_identity_is_set(&admin->store) || admin->store.password != NULL))
        return apw_error_set(error,
                             "%s: store_bind, store_binddn and store_bindpw_file need store_uri in "
                             "app-password.conf",
                             path);
    if (check_identity(&admin->users, "", path, error) != 0 ||
        check_identity(&admin->store, "store_", path, error) != 0)
        return -1;
    if (!has_store && !apw_identity_is_set(&admin->users))
        return apw_error_set(error,
                             "%s: binddn is missing (or \"bind gssapi\", or \"bind "
                             "external\" over ldapi)",
                             path);
    return 0;
}

/* Fails unless `path` belongs to the calling user, and nobody else has the rights of `mask`. */
static int check_owner(const char *path, mode_t mask, struct apw_error *error)
{
    const struct passwd *owner;
    struct stat status;

    if (stat(path, &status) != 0)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    if (status.st_uid != geteuid()) {
        owner = getpwuid(status.st_uid);
        return apw_error_set(error,
                             "%s belongs to %s, and not to the user who calls app-password; give "
                             "-D or -Y, or set HOME, as sudo -H does",
                             path, owner != NULL ? owner->pw_name : "another user");
    }
    if ((status.st_mode & mask) != 0)
        return apw_error_set(error, "%s has mode %04o: others can %s it; chmod go-%s %s", path,
                             (unsigned)(status.st_mode & 07777),
                             (mask & S_IRGRP) != 0 ? "read or change" : "change",
                             (mask & S_IRGRP) != 0 ? "rwx" : "w", path);
    return 0;
}

static int check_personal(const char *path, struct apw_error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? NULL : strndup(path, (size_t)(slash - path));
    int status = folder == NULL ? apw_error_set(error, "out of memory")
                                : check_owner(folder, S_IWGRP | S_IWOTH, error);

    free(folder);
    return status == 0 ? check_owner(path, S_IWGRP | S_IWOTH, error) : -1;
}

static int check_secret(const struct apw_identity *identity, struct apw_error *error)
{
    return identity->password_file == NULL
               ? 0
               : check_owner(identity->password_file, S_IRWXG | S_IRWXO, error);
}

int apw_admin_config_read(const char *path, bool has_store, bool is_personal,
                          struct apw_admin_config *admin_r, struct apw_error *error)
{
    *admin_r = (struct apw_admin_config){.users = {.dn = NULL}};
    if ((!is_personal || check_personal(path, error) == 0) &&
        apw_settings_read(path, &table, NULL, admin_r, error) == 0 &&
        check(admin_r, has_store, path, error) == 0 &&
        (!is_personal ||
         (check_secret(&admin_r->users, error) == 0 && check_secret(&admin_r->store, error) == 0)))
        return 0;
    apw_admin_config_wipe(admin_r);
    return -1;
}

void apw_admin_config_wipe(struct apw_admin_config *admin)
{
    apw_identity_wipe(&admin->users);
    apw_identity_wipe(&admin->store);
    *admin = (struct apw_admin_config){.users = {.dn = NULL}};
}
