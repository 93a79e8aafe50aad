/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: /etc/app-password/app-password.conf.
 *
 * See settings.h for the syntax and the errors.
 */
#ifndef APW_CONFIG_H
#define APW_CONFIG_H

#include "config_keys.h"
#include "error.h"
#include "identity.h"
#include "ldap/directory.h"

/* Depends on configure's --sysconfdir. */
extern const char apw_config_default_path[];

/* Reads and checks the whole file, and the file that bindpw_file names. Opens nothing else. On -1
 * *config_r is NULL. The caller frees it. */
int apw_config_read(const char *path, struct apw_config **config_r, struct apw_error *error);

/* As above, for programs with identities of their own: skips bind, binddn, bindpw_file and those of
 * the store. */
int apw_config_read_without_identity(const char *path, struct apw_config **config_r,
                                     struct apw_error *error);

/* The defaults, and `log` if the file has a good one: for the log of a configuration that is
 * otherwise broken, or names a secret that this user cannot read. */
int apw_config_read_log(const char *path, struct apw_config **config_r, struct apw_error *error);

/* Only the identity of app-password.conf in the directory with the users. */
int apw_config_read_identity(const char *path, struct apw_identity *identity_r,
                             struct apw_error *error);

void apw_config_free(struct apw_config **config); /* wipes; takes NULL */

/* The directory's settings for these servers and this identity. Borrows everything. */
struct apw_directory_settings apw_config_directory_settings(const struct apw_config *config,
                                                            const struct apw_uris *uris,
                                                            const struct apw_identity *identity);

/* The same for the store. */
struct apw_directory_settings apw_config_store_settings(const struct apw_config *config,
                                                        const struct apw_uris *uris,
                                                        const struct apw_identity *identity);

bool apw_config_has_store(const struct apw_config *config);

/* By when, in seconds after a revocation, app-password-watch has ended open sessions; 0 if nothing
 * ends them. */
int64_t apw_config_sessions_end_s(const struct apw_config *config);

/* The kind of directory that has our attributes: the store, or the one with the users. */
enum apw_directory_type apw_config_holder(const struct apw_config *config);
const struct apw_uris *apw_config_holder_uris(const struct apw_config *config);
const struct apw_uris *apw_config_holder_write_uris(const struct apw_config *config);

#endif
