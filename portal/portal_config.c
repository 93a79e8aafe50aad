/* SPDX-License-Identifier: BSD-2-Clause */
#include "portal_config.h"
#include "host_port.h"
#include "moment.h"
#include "network.h"
#include "own_domains.h"
#include "secret.h"
#include "settings.h"
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static int set_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(&((struct apw_portal_config *)target)->identity, value, error);
}

static int set_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(&((struct apw_portal_config *)target)->identity, value,
                                          error);
}

static int set_store_binddn(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_dn(&((struct apw_portal_config *)target)->store_identity, value, error);
}

static int set_store_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    return apw_identity_set_password_file(&((struct apw_portal_config *)target)->store_identity,
                                          value, error);
}

static int set_listen(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (strncmp(value, "unix:", 5) == 0) {
        if (strlen(value + 5) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
            return apw_error_set(error, "the path of the socket is too long");
        return apw_settings_check_absolute(value + 5, error) == 0
                   ? apw_settings_copy(value + 5, &config->listen_socket, error)
                   : -1;
    }
    if (apw_host_port_split(value, &config->listen_host, config->listen_port, error) == 0 &&
        apw_network_is_loopback(config->listen_host))
        return 0;
    return apw_error_set(error,
                         "\"%s\" is neither unix:/run/… nor a loopback address and port like "
                         "127.0.0.1:8025; clients connect to the TLS proxy instead",
                         value);
}

/* Segments of unreserved characters (RFC 3986, 2.3). In a redirect, a path with two slashes in
 * front would name a host. */
static bool is_path(const char *text, size_t length)
{
    if (length > 0 && (text[0] != '/' || strspn(text, LETTERS DIGITS "-._~/") < length))
        return false;
    return memmem(text, length, "//", 2) == NULL && memmem(text, length, "/.", 2) == NULL;
}

/* Splits "host" or "host:port", with or without a path; -1 if it is neither. */
static int split_public_url(struct apw_portal_config *config, const char *rest,
                            struct apw_error *error)
{
    size_t length = apw_host_port_host_length(rest), authority = strcspn(rest, "/"),
           end = strlen(rest);
    const char *port = rest + length + 1;

    while (end > authority && rest[end - 1] == '/')
        end--;
    if (length > authority || !apw_host_port_is_host(rest, length) ||
        (length < authority &&
         (rest[length] != ':' || !apw_host_port_is_port(port, authority - length - 1))) ||
        !is_path(rest + authority, end - authority))
        return apw_error_set(error, "not an address");
    config->root = strndup(rest + authority, end - authority);
    return config->root == NULL ||
                   asprintf(&config->url, "%s%.*s", config->is_https ? "https://" : "http://",
                            (int)end, rest) < 0
               ? apw_error_set(error, "out of memory")
               : apw_host_port_copy_host(rest, length, &config->site, error);
}

static int set_public_url(void *target, const char *value, struct apw_error *error)
{
    static const char https[] = "https://", http[] = "http://";
    struct apw_portal_config *config = target;

    config->is_https = strncmp(value, https, sizeof https - 1) == 0;
    if ((!config->is_https && strncmp(value, http, sizeof http - 1) != 0) ||
        split_public_url(config, value + (config->is_https ? sizeof https : sizeof http) - 1,
                         error) != 0)
        return apw_error_set(error,
                             "\"%s\" is not an address like "
                             "https://mail.example.org/app-passwords",
                             value);
    if (!config->is_https && !apw_network_is_loopback(config->site) &&
        strcmp(config->site, "localhost") != 0)
        return apw_error_set(error, "\"%s\" would send passwords in the clear; use https", value);
    return 0;
}

static int set_key_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;
    char *text = NULL;
    size_t length = 0;

    if (apw_settings_check_absolute(value, error) != 0)
        return -1;
    if (apw_secret_read(value, &text, error) != 0)
        return apw_error_set(error,
                             "%s; restore the key from a backup, because no other key opens the "
                             "second factors; for a new site, app-password-portal(8) says how to "
                             "make one",
                             error->text);
    config->has_key = sodium_base642bin(config->key, sizeof config->key, text, strlen(text), " \t",
                                        &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                      length == sizeof config->key;
    apw_secret_free(&text);
    return config->has_key ? 0
                           : apw_error_set(error,
                                           "%s: not a key of %d bytes in base64; make one with "
                                           "\"openssl rand -base64 %d\"",
                                           value, APW_METHOD_KEY_BYTES, APW_METHOD_KEY_BYTES);
}

static int set_support(void *target, const char *value, struct apw_error *error)
{
    return apw_supports_add(&((struct apw_portal_config *)target)->support, value, error);
}

static int set_support_in(void *target, const char *value, struct apw_error *error)
{
    return apw_supports_add_list(&((struct apw_portal_config *)target)->support, value, error);
}

static int set_time_zone(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_moment_check_zone(value, error) == 0
               ? apw_settings_copy(value, &config->time_zone, error)
               : -1;
}

static int set_reverse_names(void *target, const char *value, struct apw_error *error)
{
    return apw_settings_yes_no(value, &((struct apw_portal_config *)target)->has_reverse_names,
                               error);
}

static int set_enrolment(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (strcmp(value, "open") == 0)
        config->enrolment = APW_ENROLMENT_OPEN;
    else if (strcmp(value, "code") == 0)
        config->enrolment = APW_ENROLMENT_CODE;
    else
        return apw_error_set(error, "\"%s\" is neither open nor code", value);
    return 0;
}

static int set_second_factors(void *target, const char *value, struct apw_error *error)
{
    return apw_factor_settings_set_kinds(&((struct apw_portal_config *)target)->factors, value,
                                         error);
}

static int set_remember_browser(void *target, const char *value, struct apw_error *error)
{
    return apw_factor_settings_set_remember(&((struct apw_portal_config *)target)->factors, value,
                                            error);
}

static int set_sendmail(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (apw_settings_check_absolute(value, error) != 0)
        return -1;
    return apw_settings_copy(value, &config->mail.program, error);
}

static int set_mail_relay(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_host_port_split(value, &config->mail.host, config->mail.port, error);
}

static int set_mail_relay_tls(void *target, const char *value, struct apw_error *error)
{
    static const char *const names[] = {"no", "starttls", "smtps", NULL};
    struct apw_portal_config *config = target;
    int choice = apw_settings_choice(value, names, error);

    if (choice >= 0)
        config->mail.tls = (enum apw_mail_tls)(APW_MAIL_TLS_NO + choice);
    return choice >= 0 ? 0 : -1;
}

static int set_mail_relay_cacert(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_settings_check_absolute(value, error) == 0
               ? apw_settings_copy(value, &config->mail.cacert, error)
               : -1;
}

static int set_mail_relay_user(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_settings_copy(value, &config->mail.user, error);
}

static int set_mail_relay_password_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_settings_check_absolute(value, error) == 0
               ? apw_secret_read(value, &config->mail.password, error)
               : -1;
}

static int set_mail_from(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (!apw_mail_address_is_valid(value))
        return apw_error_set(error, "\"%s\" is not an address like postmaster@example.org", value);
    return apw_settings_copy(value, &config->mail.from, error);
}

static int set_own_domains(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    free(config->own_domains);
    return apw_own_domains_read(value, &config->own_domains, error);
}

static int set_server(const char *value, struct apw_host_port *server_r, struct apw_error *error)
{
    return apw_host_port_split(value, &server_r->host, server_r->port, error);
}

static int set_imap_server(void *target, const char *value, struct apw_error *error)
{
    return set_server(value, &((struct apw_portal_config *)target)->imap, error);
}

static int set_smtp_server(void *target, const char *value, struct apw_error *error)
{
    return set_server(value, &((struct apw_portal_config *)target)->smtp, error);
}

static int set_pop3_server(void *target, const char *value, struct apw_error *error)
{
    return set_server(value, &((struct apw_portal_config *)target)->pop3, error);
}

static int set_managesieve_server(void *target, const char *value, struct apw_error *error)
{
    return set_server(value, &((struct apw_portal_config *)target)->sieve, error);
}

static int set_profile_certificate(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_settings_check_absolute(value, error) == 0
               ? apw_profile_signer_new(value, &config->profile_signer, error)
               : -1;
}

static int set_profile_key(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (config->profile_signer == NULL) /* the table has the certificate first */
        return apw_error_set(error, "needs profile_certificate, whose key this is");
    return apw_settings_check_absolute(value, error) == 0
               ? apw_profile_signer_set_key(config->profile_signer, value, error)
               : -1;
}

static int set_trusted_user_header(void *target, const char *value, struct apw_error *error)
{
    return apw_proxy_settings_set_header(&((struct apw_portal_config *)target)->proxy, value,
                                         error);
}

static int set_trusted_user_secret_file(void *target, const char *value, struct apw_error *error)
{
    return apw_proxy_settings_set_secret_file(&((struct apw_portal_config *)target)->proxy, value,
                                              error);
}

static int set_helpdesk_filter(void *target, const char *value, struct apw_error *error)
{
    return apw_helpdesk_settings_set_staff(&((struct apw_portal_config *)target)->helpdesk, value,
                                           error);
}

static int set_helpdesk_users(void *target, const char *value, struct apw_error *error)
{
    return apw_helpdesk_settings_set_users(&((struct apw_portal_config *)target)->helpdesk, value,
                                           error);
}

static int set_helpdesk_base(void *target, const char *value, struct apw_error *error)
{
    return apw_helpdesk_settings_set_base(&((struct apw_portal_config *)target)->helpdesk, value,
                                          error);
}

static int set_helpdesk_may(void *target, const char *value, struct apw_error *error)
{
    return apw_helpdesk_settings_set_may(&((struct apw_portal_config *)target)->helpdesk, value,
                                         error);
}

static int set_helpdesk_reset_delay(void *target, const char *value, struct apw_error *error)
{
    return apw_helpdesk_settings_set_reset_delay(&((struct apw_portal_config *)target)->helpdesk,
                                                 value, error);
}

static int set_remind(void *target, const char *value, struct apw_error *error)
{
    return apw_remind_settings_set_topics(&((struct apw_portal_config *)target)->remind, value,
                                          error);
}

static int set_remind_rate(void *target, const char *value, struct apw_error *error)
{
    return apw_remind_settings_set_rate(&((struct apw_portal_config *)target)->remind, value,
                                        error);
}

static const struct apw_key portal_keys[] = {
    {"binddn", set_binddn},
    {"bindpw_file", set_bindpw_file},
    {"store_binddn", set_store_binddn},
    {"store_bindpw_file", set_store_bindpw_file},
    {"listen", set_listen},
    {"public_url", set_public_url},
    {"key_file", set_key_file},
    {"support", set_support},
    {"support_in", set_support_in},
    {"time_zone", set_time_zone},
    {"reverse_names", set_reverse_names},
    {"enrolment", set_enrolment},
    {"second_factors", set_second_factors},
    {"remember_browser", set_remember_browser},
    {"sendmail", set_sendmail},
    {"mail_relay", set_mail_relay},
    {"mail_relay_tls", set_mail_relay_tls},
    {"mail_relay_cacert", set_mail_relay_cacert},
    {"mail_relay_user", set_mail_relay_user},
    {"mail_relay_password_file", set_mail_relay_password_file},
    {"mail_from", set_mail_from},
    {"own_domains", set_own_domains},
    {"imap_server", set_imap_server},
    {"smtp_server", set_smtp_server},
    {"pop3_server", set_pop3_server},
    {"managesieve_server", set_managesieve_server},
    {"profile_certificate", set_profile_certificate},
    {"profile_key", set_profile_key},
    {"trusted_user_header", set_trusted_user_header},
    {"trusted_user_secret_file", set_trusted_user_secret_file},
    {"helpdesk_filter", set_helpdesk_filter},
    {"helpdesk_users", set_helpdesk_users},
    {"helpdesk_base", set_helpdesk_base},
    {"helpdesk_may", set_helpdesk_may},
    {"helpdesk_reset_delay", set_helpdesk_reset_delay},
    {"remind", set_remind},
    {"remind_rate", set_remind_rate},
};
static const struct apw_key_table portal_table = {
    "app-password-portal(8)", sizeof portal_keys / sizeof portal_keys[0], portal_keys};

static int check(const struct apw_portal_config *config, const char *path, struct apw_error *error)
{
    const char *missing = config->identity.dn == NULL                       ? "binddn"
                          : config->identity.password == NULL               ? "bindpw_file"
                          : config->site == NULL                            ? "public_url"
                          : !config->has_key                                ? "key_file"
                          : apw_supports_find(&config->support, "") == NULL ? "support"
                                                                            : NULL;

    if (missing != NULL)
        return apw_error_set(error, "%s: %s is missing", path, missing);
    if (config->profile_signer != NULL && !apw_profile_signer_has_key(config->profile_signer))
        return apw_error_set(error, "%s: profile_certificate needs profile_key", path);
    return apw_proxy_settings_check(&config->proxy, config->listen_socket != NULL, path, error) ==
                       0 &&
                   apw_helpdesk_settings_check(&config->helpdesk, config->proxy.user_header != NULL,
                                               path, error) == 0
               ? apw_mail_settings_check(&config->mail, path, error)
               : -1;
}

static int set_defaults(struct apw_portal_config *config, struct apw_error *error)
{
    apw_factor_settings_begin(&config->factors);
    apw_helpdesk_settings_begin(&config->helpdesk);
    apw_remind_settings_begin(&config->remind);
    return apw_settings_copy("", &config->own_domains, error);
}

static int complete(struct apw_portal_config *config, struct apw_error *error)
{
    if (config->listen_socket != NULL || config->listen_host != NULL)
        return 0;
    strcpy(config->listen_port, "8025");
    return apw_settings_copy("127.0.0.1", &config->listen_host, error);
}

int apw_portal_config_read(const char *config_path, struct apw_portal_config **config_r,
                           struct apw_error *error)
{
    struct apw_portal_config *config = calloc(1, sizeof *config);
    char path[PATH_MAX];

    *config_r = NULL;
    if (config == NULL)
        return apw_error_set(error, "out of memory");
    if (apw_settings_sibling(config_path, "portal.conf", path, sizeof path, error) == 0 &&
        set_defaults(config, error) == 0 &&
        apw_settings_read(path, &portal_table, NULL, config, error) == 0 &&
        complete(config, error) == 0 && check(config, path, error) == 0 &&
        apw_factor_settings_complete(&config->factors, config->url, config->site, path, error) ==
            0 &&
        apw_mail_settings_complete(&config->mail, config->site, error) == 0)
        *config_r = config;
    if (*config_r != NULL)
        return 0;
    apw_portal_config_free(&config);
    return -1;
}

void apw_portal_config_free(struct apw_portal_config **config)
{
    if (*config == NULL)
        return;
    apw_identity_wipe(&(*config)->identity);
    apw_identity_wipe(&(*config)->store_identity);
    free((*config)->listen_socket);
    free((*config)->listen_host);
    free((*config)->url);
    free((*config)->site);
    apw_factor_settings_free(&(*config)->factors);
    free((*config)->root);
    apw_supports_free(&(*config)->support);
    free((*config)->time_zone);
    apw_mail_settings_free(&(*config)->mail);
    free((*config)->own_domains);
    free((*config)->imap.host);
    free((*config)->smtp.host);
    free((*config)->pop3.host);
    free((*config)->sieve.host);
    apw_profile_signer_free(&(*config)->profile_signer);
    apw_proxy_settings_free(&(*config)->proxy);
    apw_helpdesk_settings_free(&(*config)->helpdesk);
    sodium_memzero(*config, sizeof **config);
    free(*config);
    *config = NULL;
}

int apw_portal_config_check_store(const struct apw_portal_config *config, bool has_store,
                                  struct apw_error *error)
{
    const struct apw_identity *identity = &config->store_identity;

    if (!has_store)
        return identity->dn == NULL && identity->password == NULL
                   ? 0
                   : apw_error_set(error, "portal.conf: store_binddn and store_bindpw_file need "
                                          "store_uri in app-password.conf");
    return identity->dn != NULL && identity->password != NULL
               ? 0
               : apw_error_set(error, "portal.conf: %s is missing: app-password.conf has store_uri",
                               identity->dn == NULL ? "store_binddn" : "store_bindpw_file");
}
