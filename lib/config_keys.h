/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_keys: what the keys of app-password.conf set.
 */
#ifndef APW_CONFIG_KEYS_H
#define APW_CONFIG_KEYS_H

#include "directory_type.h"
#include "error.h"
#include "identity.h"
#include "ldap/directory.h"
#include "network.h"
#include "settings.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_mfa_enforcement { APW_MFA_ENFORCE = 0, APW_MFA_REPORT };
enum apw_account_password { APW_ACCOUNT_PASSWORD_WHEN_MFA_OFF = 0, APW_ACCOUNT_PASSWORD_NEVER };

/* A directory of its own for our attributes. The other one, with the users, is then only read. */
struct apw_store_config {
    struct apw_uris uris; /* count 0: there is no store, and nothing else is set */
    struct apw_uris write_uris;
    char *base; /* the parent of all entries */
    struct apw_identity identity;
    bool start_tls;
    char *tls_cacert;
    const struct apw_id_attribute *id_attribute; /* of the user's entry; its value is the key */
    bool has_mfa;                                /* the MFA flag, too, is in the store */
    bool is_mfa_off_by_default;                  /* if `has_mfa`: without an entry MFA is off */
};

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
    int64_t max_lifetime_s;         /* of app passwords; 0: no limit */
    int64_t default_expires_s;      /* of new ones for which nobody names an end; 0: never */
    bool has_default_expires;       /* as given in the file */
    int64_t revoke_unused_s;        /* by `app-password remind`; 0: never */
    bool revoke_on_password_change; /* refuse app passwords made before the last one */
    unsigned remember;              /* app passwords that a process remembers; 0: none */
    int refusal_delay_ms;

    int64_t watch_interval_s; /* of app-password-watch; 0: there is none */
    unsigned watch_kick_max;  /* users whose sessions it ends within a minute without asking */

    struct apw_store_config store;

    int log_facility; /* LOG_MAIL and the like; used if neither of the others is set */
    char *log_file;
    bool log_to_stderr;
};

extern const struct apw_key_table apw_config_login_keys;

/* Whether it is bind, binddn or bindpw_file, or one of those of the store. */
bool apw_config_is_identity_key(const struct apw_key *key);

/* The setter of `log`, whose target is a struct apw_config. */
int apw_config_set_log(void *target, const char *value, struct apw_error *error);

#endif
