/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_files: the files of a new store, made from examples/store/.
 */
#ifndef APW_SETUP_STORE_FILES_H
#define APW_SETUP_STORE_FILES_H

#include "ldap/uri.h"
#include "setup/folder.h"

/* Where a store answers unless somebody says otherwise. Its socket does not exist in the chroot of
 * a Postfix. */
#define APW_SETUP_STORE_LISTEN "ldap://127.0.0.1:3890"

struct apw_setup_store {
    const char *suffix; /* a DN that begins with o=, ou= or dc= */
    const char *id_attribute;
    struct apw_uris servers; /* this server and its peers */
};

/* Writes all of them, with new passwords. */
int apw_setup_store_files_write(struct apw_setup_folder *folder,
                                const struct apw_setup_store *store, struct apw_error *error);

/* A name of a server's own file, like app-password-2.conf; without peers, app-password.conf. */
void apw_setup_store_files_name(const struct apw_setup_store *store, const char *name,
                                unsigned server, char *name_r, size_t size);

/* Whether a listener needs a certificate. */
bool apw_setup_store_files_have_tls(const struct apw_setup_store *store);

#endif
