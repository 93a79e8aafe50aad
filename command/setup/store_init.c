/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/store_init.h"
#include "say.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* False for a folder that does not exist. */
static bool has_files(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int count = 0;

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL)
        count++;
    closedir(folder);
    return count > 2; /* . and .. */
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (folder != NULL) {
        while ((entry = readdir(folder)) != NULL)
            unlinkat(dirfd(folder), entry->d_name, 0);
        closedir(folder);
    }
    rmdir(path);
}

/* Writes into a folder beside it, which takes its place at the end. */
static int write_folder(const char *path, const struct apw_setup_store *store,
                        struct apw_error *error)
{
    char draft[PATH_MAX];
    struct apw_setup_folder folder = {.path = draft};

    if (has_files(path))
        return apw_error_set(error,
                             "%s is not empty; its passwords may be in use: name another folder, "
                             "or empty it",
                             path);
    if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft)
        return apw_error_set(error, "%s: the path is too long", path);
    if (mkdtemp(draft) == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    if (apw_setup_store_files_write(&folder, store, error) == 0) {
        if (rename(draft, path) == 0)
            return 0;
        apw_error_set(error, "%s: %s", path, strerror(errno));
    }
    remove_folder(draft);
    return -1;
}

static void print_server(const char *folder, const struct apw_setup_store *store)
{
    bool has_peers = store->servers.count > 1;

    printf("\nWrote %s; nothing on this host has changed. It holds all passwords of the store:\n"
           "only root may read it.\n\n",
           folder);
    if (has_peers)
        puts("Copy the folder to each server of the store. There, as root:\n");
    else
        puts("On the host of the store, as root:\n");
    printf("    cd %s\n"
           "    apt install slapd ldap-utils\n"
           "    install -d -m 0750 -g openldap /etc/app-password-store\n"
           "    install -m 0640 -g openldap slapd.conf app-password.schema "
           "/etc/app-password-store/\n",
           folder);
    for (unsigned i = 0; has_peers && i < store->servers.count; i++) {
        char name[64];

        apw_setup_store_files_name(store, "replication", i, name, sizeof name);
        printf("    install -m 0640 -g openldap %s /etc/app-password-store/replication.conf   "
               "# only on %s\n",
               name, store->servers.uri[i]);
    }
    if (apw_setup_store_files_have_tls(store))
        puts("    install -m 0640 -g openldap CERTIFICATE /etc/app-password-store/tls.crt   "
             "# the host's, with its chain\n"
             "    install -m 0640 -g openldap KEY /etc/app-password-store/tls.key");
    puts("    install -m 0644 app-password-store.service /etc/systemd/system/\n"
         "    systemctl daemon-reload\n"
         "    systemctl enable --now app-password-store");
}

static void print_entries(const struct apw_setup_store *store)
{
    static const char *const files[] = {"entries.ldif", "mfa-witness.ldif"};

    if (store->servers.count > 1)
        printf("\nThen once, on %s:\n\n", store->servers.uri[0]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        printf("    ldapadd -x -H ldapi://%%2Frun%%2Fapp-password-store%%2Fldapi "
               "-D cn=root,%s -y store-root.secret -f %s\n",
               store->suffix, files[i]);
    puts("\nIf the store ever loses its entries, load the backup, and not mfa-witness.ldif again: "
         "without\nentries it would turn MFA off for everybody.\n"
         "\nThe package slapd also starts a directory of its own. If that is new on this host and "
         "you do\nnot need it: systemctl disable --now slapd");
}

static void print_clients(const struct apw_setup_store *store)
{
    bool has_peers = store->servers.count > 1;

    printf("\nOn each host with a mail server (id_attribute is %s):\n"
           "\n"
           "    install -m 0600 store-mail-server.secret store-administrator.secret "
           "/etc/app-password/\n",
           store->id_attribute);
    for (unsigned i = 0; i == 0 || i < store->servers.count; i++) {
        char name[64];

        apw_setup_store_files_name(store, "app-password", i, name, sizeof name);
        printf("    cat %s >>/etc/app-password/app-password.conf%s%s\n", name,
               has_peers ? "   # only on " : "", has_peers ? store->servers.uri[i] : "");
    }
    puts("    cat admin.conf >>/etc/app-password/admin.conf\n"
         "    app-password doctor\n"
         "\nOn the host of the self-service page, also:\n"
         "\n"
         "    install -m 0600 -o app-password-portal -g app-password-portal store-portal.secret "
         "/etc/app-password/\n"
         "    cat portal.conf >>/etc/app-password/portal.conf");
}

enum apw_status apw_setup_store_init(const char *folder, const struct apw_setup_store *store)
{
    struct apw_error error = {""};

    if (write_folder(folder, store, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_FAILED;
    }
    print_server(folder, store);
    print_entries(store);
    print_clients(store);
    return APW_STATUS_DONE;
}
