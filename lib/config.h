/*
 * config: /etc/app-password/app-password.conf and, for the command, admin.conf beside it.
 *
 * `key value` lines; '#' comments whole lines only. An unknown or repeated key, a missing file or a
 * bad value fails with "file:line: what is wrong, what would be right".
 */
#ifndef APW_CONFIG_H
#define APW_CONFIG_H

#include "error.h"
#include "network.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_scope { APW_SCOPE_SUB = 0, APW_SCOPE_ONE, APW_SCOPE_BASE };

/* ANONYMOUS is for looking what strangers see; no configuration says it. */
enum apw_bind_method { APW_BIND_SIMPLE = 0, APW_BIND_EXTERNAL, APW_BIND_ANONYMOUS };

/* Who binds. The password is secret: apw_identity_wipe(). */
struct apw_identity {
    enum apw_bind_method method;
    char *dn;            /* NULL unless SIMPLE */
    char *password;      /* NULL unless SIMPLE */
    char *password_file; /* that it was read from, or NULL */
};

enum apw_mfa_enforcement { APW_MFA_ENFORCE = 0, APW_MFA_REPORT };
enum apw_account_password { APW_ACCOUNT_PASSWORD_WHEN_MFA_OFF = 0, APW_ACCOUNT_PASSWORD_NEVER };
enum apw_tls_min { APW_TLS_1_2 = 0, APW_TLS_1_3 };

#define APW_URIS_MAX 8
struct apw_uris {
    unsigned count;
    char *uri[APW_URIS_MAX];
};

struct apw_config {
    char *path; /* the file it was read from */

    struct apw_uris uris;       /* in order of preference */
    struct apw_uris write_uris; /* the same as uris where not given */
    char *base;
    enum apw_scope scope;
    char *filter; /* template: %u, %n, %d, %% */
    struct apw_identity identity;
    bool start_tls;
    char *tls_cacert; /* PEM file */
    enum apw_tls_min tls_min;
    int timeout_ms;  /* each wait */
    int deadline_ms; /* the whole login */

    char *mfa_filter;
    enum apw_mfa_enforcement mfa_enforcement;
    enum apw_account_password account_password;
    struct apw_networks account_password_from;
    char *login_attribute; /* NULL: the name as typed */

    unsigned hash_memory_mib;
    unsigned hash_passes;
    unsigned max_app_passwords;
    int64_t record_use_s; /* 0: never */
    bool record_use_without_address;
    bool remember; /* matches of app passwords, within the process */
    int refusal_delay_ms;

    int log_facility; /* LOG_MAIL and the like; used where log_file is NULL */
    char *log_file;
};

/* The default place, with --sysconfdir. */
extern const char apw_config_default_path[];

/* Reads and checks the whole file, and the file that bindpw_file names. Opens nothing else. On -1
 * *config_r is NULL. The caller frees it. */
int apw_config_read(const char *path, struct apw_config **config_r, struct apw_error *error);

/* The same for who manages with an identity of their own and may not read the mail server's: bind,
 * binddn and bindpw_file are passed over, and identity stays empty. */
int apw_config_read_without_identity(const char *path, struct apw_config **config_r,
                                     struct apw_error *error);

/* Reads admin.conf (binddn, bindpw_file or bind external), which lies in the same folder as
 * `config_path`. */
int apw_config_read_admin(const char *config_path, struct apw_identity *identity_r,
                          struct apw_error *error);

/* Reads a password file: its first line, without the line end; 1 to 1024 bytes. The caller frees it
 * with apw_secret_free(). */
int apw_secret_read(const char *path, char **secret_r, struct apw_error *error);
void apw_secret_free(char **secret);

/* Space-separated LDAP URIs into *uris_r, checked: scheme, and that nothing but ldapi, ldaps,
 * start_tls or loopback is asked for. */
int apw_uris_parse(const char *text, bool start_tls, struct apw_uris *uris_r,
                   struct apw_error *error);
void apw_uris_free(struct apw_uris *uris);

/* The values of binddn and bindpw_file, checked; the password is read at once. */
int apw_identity_set_dn(struct apw_identity *identity, const char *value, struct apw_error *error);
int apw_identity_set_password_file(struct apw_identity *identity, const char *value,
                                   struct apw_error *error);
void apw_identity_wipe(struct apw_identity *identity); /* wipes and frees its members */
void apw_config_free(struct apw_config **config);      /* wipes; takes NULL */

#endif
