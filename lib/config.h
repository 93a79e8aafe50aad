/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: /etc/app-password/app-password.conf and, for the command, admin.conf in the same folder.
 *
 * See settings.h for the syntax and the errors.
 */
#ifndef APW_CONFIG_H
#define APW_CONFIG_H

#include "directory_type.h"
#include "error.h"
#include "identity.h"
#include "ldap/directory.h"
#include "network.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_mfa_enforcement { APW_MFA_ENFORCE = 0, APW_MFA_REPORT };
enum apw_account_password { APW_ACCOUNT_PASSWORD_WHEN_MFA_OFF = 0, APW_ACCOUNT_PASSWORD_NEVER };
struct apw_config {
    char *path; /* the file it was read from */

    enum apw_directory_type directory;
    struct apw_uris uris;       /* in order of preference */
    struct apw_uris write_uris; /* uris unless given */
    char *base;
    enum apw_scope scope;
    char *filter; /* template: see ldap/filter.h */
    struct apw_identity identity;
    bool start_tls;
    char *tls_cacert; /* PEM file */
    enum apw_tls_min tls_min;
    int timeout_ms;  /* each wait */
    int deadline_ms; /* the whole login */
    int64_t idle_s;  /* limit of a kept connection; 0: none */

    char *mfa_filter;
    char *mfa_off_filter;   /* NULL: the negation of mfa_filter */
    char *mfa_witness;      /* DN; NULL: none */
    char *disabled_filter;  /* NULL: only an account's attributes end it */
    char *disabled_witness; /* NULL: none */
    enum apw_mfa_enforcement mfa_enforcement;
    int64_t mfa_grace_s; /* for the command: announce MFA for so long; 0: enforce it at once */
    enum apw_account_password account_password;
    struct apw_networks account_password_from;
    char *login_attribute; /* NULL: the name as typed */

    unsigned hash_memory_mib; /* apw_hash_cap() says what stored ones may cost */
    unsigned hash_passes;
    unsigned max_app_passwords;
    int64_t record_use_s; /* 0: never */
    bool record_use_without_address;
    bool remember; /* matches of app passwords, within the process */
    int refusal_delay_ms;

    int log_facility; /* LOG_MAIL and the like; used if neither of the others is set */
    char *log_file;
    bool log_to_stderr;
};

/* Depends on configure's --sysconfdir. */
extern const char apw_config_default_path[];

/* Reads and checks the whole file, and the file that bindpw_file names. Opens nothing else. On -1
 * *config_r is NULL. The caller frees it. */
int apw_config_read(const char *path, struct apw_config **config_r, struct apw_error *error);

/* As above, for programs with an identity of their own: skips bind, binddn, bindpw_file. */
int apw_config_read_without_identity(const char *path, struct apw_config **config_r,
                                     struct apw_error *error);

/* The defaults, and `log` if the file has a good one: for the log of a configuration that is
 * otherwise broken, or names a secret that this user cannot read. */
int apw_config_read_log(const char *path, struct apw_config **config_r, struct apw_error *error);

/* Reads admin.conf (binddn, bindpw_file or bind external) in the folder of `config_path`. */
int apw_config_read_admin(const char *config_path, struct apw_identity *identity_r,
                          struct apw_error *error);

void apw_config_free(struct apw_config **config); /* wipes; takes NULL */

/* The directory's settings for these servers and this identity. Borrows everything. */
struct apw_directory_settings apw_config_directory_settings(const struct apw_config *config,
                                                            const struct apw_uris *uris,
                                                            const struct apw_identity *identity);

#endif
