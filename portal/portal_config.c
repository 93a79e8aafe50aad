/* SPDX-License-Identifier: BSD-2-Clause */
#include "portal_config.h"
#include "network.h"
#include "secret.h"
#include "settings.h"
#include "utf8.h"
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define TRUSTED_SECRET_MIN 32
#define LETTERS            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS             "0123456789"
#define SEPARATORS         " \t,"

static int set_binddn(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_identity_set_dn(&config->identity, value, error);
}

static int set_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return apw_identity_set_password_file(&config->identity, value, error);
}

static bool is_port(const char *text, size_t length)
{
    char *end;
    long port;

    if (length == 0 || length > 5 || strspn(text, "0123456789") < length)
        return false;
    port = strtol(text, &end, 10);
    return end == text + length && port > 0 && port <= 65535;
}

/* A name, an address, or an IPv6 address in brackets (RFC 3986, 3.2.2). */
static bool is_host(const char *text, size_t length)
{
    struct in6_addr address;
    char bare[INET6_ADDRSTRLEN];

    if (length == 0 || text[0] != '[')
        return length > 0 && strspn(text, LETTERS DIGITS "-.") >= length;
    if (length < 3 || length - 2 >= sizeof bare || text[length - 1] != ']')
        return false;
    memcpy(bare, text + 1, length - 2);
    bare[length - 2] = '\0';
    return inet_pton(AF_INET6, bare, &address) == 1;
}

/* Copies a host without its brackets. */
static int copy_host(const char *text, size_t length, char **host_r, struct apw_error *error)
{
    *host_r = text[0] == '[' ? strndup(text + 1, length - 2) : strndup(text, length);
    return *host_r == NULL ? apw_error_set(error, "out of memory") : 0;
}

/* Of the host in "host:port". */
static size_t host_length(const char *text)
{
    return text[0] == '[' ? strcspn(text, "]") + (strchr(text, ']') != NULL) : strcspn(text, ":/");
}

static int split_host_port(const char *value, char **host_r, char port_r[6],
                           struct apw_error *error)
{
    size_t length = host_length(value);
    const char *port = value + length + 1;

    if (!is_host(value, length) || value[length] != ':' || !is_port(port, strlen(port)))
        return apw_error_set(error, "not a host and port like mail.example.org:993");
    strcpy(port_r, port);
    return copy_host(value, length, host_r, error);
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
    if (split_host_port(value, &config->listen_host, config->listen_port, error) == 0 &&
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
    size_t length = host_length(rest), authority = strcspn(rest, "/"), end = strlen(rest);
    const char *port = rest + length + 1;

    while (end > authority && rest[end - 1] == '/')
        end--;
    if (length > authority || !is_host(rest, length) ||
        (length < authority && (rest[length] != ':' || !is_port(port, authority - length - 1))) ||
        !is_path(rest + authority, end - authority))
        return apw_error_set(error, "not an address");
    config->root = strndup(rest + authority, end - authority);
    return config->root == NULL ||
                   asprintf(&config->url, "%s%.*s", config->is_https ? "https://" : "http://",
                            (int)end, rest) < 0
               ? apw_error_set(error, "out of memory")
               : copy_host(rest, length, &config->site, error);
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
    struct apw_portal_config *config = target;

    return apw_settings_copy(value, &config->support, error);
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

    return split_host_port(value, &config->mail.host, config->mail.port, error);
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

    if (!apw_method_address_is_valid(value))
        return apw_error_set(error, "\"%s\" is not an address like postmaster@example.org", value);
    return apw_settings_copy(value, &config->mail.from, error);
}

/* Lower case with single spaces, for comparing. Only ASCII and no dot at either end, like the
 * addresses that they are compared with. */
static int set_own_domains(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;
    char *to;

    free(config->own_domains);
    if (apw_settings_copy(value, &config->own_domains, error) != 0)
        return -1;
    to = config->own_domains;
    while (value += strspn(value, SEPARATORS), *value != '\0') {
        size_t length = strcspn(value, SEPARATORS);

        if (strspn(value, LETTERS DIGITS "-.") < length || value[0] == '.' ||
            value[length - 1] == '.')
            return apw_error_set(error,
                                 "\"%.*s\" is not a domain; it is a list like example.org "
                                 "example.net, and includes their subdomains",
                                 (int)length, value);
        if (to != config->own_domains)
            *to++ = ' ';
        for (; length > 0; length--, value++)
            *to++ = apw_utf8_lower(*value);
    }
    *to = '\0';
    return *config->own_domains != '\0'
               ? 0
               : apw_error_set(error, "no domain; remove the line if you have none");
}

static int set_imap_server(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return split_host_port(value, &config->imap.host, config->imap.port, error);
}

static int set_smtp_server(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    return split_host_port(value, &config->smtp.host, config->smtp.port, error);
}

static int set_trusted_user_header(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;

    if (value[strspn(value, LETTERS DIGITS "-")] != '\0')
        return apw_error_set(error, "\"%s\" is not the name of a header like X-Remote-User", value);
    return apw_settings_copy(value, &config->trusted_user_header, error);
}

/* It goes into a header, and must be hard to guess. */
static int set_trusted_user_secret_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_portal_config *config = target;
    size_t length;

    apw_secret_free(&config->trusted_user_secret);
    if (apw_settings_check_absolute(value, error) != 0 ||
        apw_secret_read(value, &config->trusted_user_secret, error) != 0)
        return -1;
    length = strlen(config->trusted_user_secret);
    if (length >= TRUSTED_SECRET_MIN &&
        strspn(config->trusted_user_secret, LETTERS DIGITS "-._~+/=") == length)
        return 0;
    return apw_error_set(error,
                         "%s: not %d or more letters and digits; make it with \"openssl rand -hex "
                         "32\"",
                         value, TRUSTED_SECRET_MIN);
}

static const struct apw_key portal_keys[] = {
    {"binddn", set_binddn},
    {"bindpw_file", set_bindpw_file},
    {"listen", set_listen},
    {"public_url", set_public_url},
    {"key_file", set_key_file},
    {"support", set_support},
    {"enrolment", set_enrolment},
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
    {"trusted_user_header", set_trusted_user_header},
    {"trusted_user_secret_file", set_trusted_user_secret_file},
};
static const struct apw_key_table portal_table = {
    "app-password-portal(8)", sizeof portal_keys / sizeof portal_keys[0], portal_keys};

/* Only the proxy may name users. */
static int check_trust(const struct apw_portal_config *config, const char *path,
                       struct apw_error *error)
{
    bool has_header = config->trusted_user_header != NULL;

    if (has_header && config->listen_socket == NULL)
        return apw_error_set(error,
                             "%s: trusted_user_header needs \"listen unix:/run/…\": on a port, "
                             "any local user could claim to be anybody",
                             path);
    if (has_header && config->trusted_user_secret == NULL)
        return apw_error_set(error,
                             "%s: trusted_user_header needs trusted_user_secret_file: whatever "
                             "runs as the proxy's user could claim to be anybody; "
                             "app-password-portal(8) says how to create it",
                             path);
    if (!has_header && config->trusted_user_secret != NULL)
        return apw_error_set(error,
                             "%s: trusted_user_secret_file is of no use without "
                             "trusted_user_header",
                             path);
    return 0;
}

static int check(const struct apw_portal_config *config, const char *path, struct apw_error *error)
{
    const char *missing = config->identity.dn == NULL         ? "binddn"
                          : config->identity.password == NULL ? "bindpw_file"
                          : config->site == NULL              ? "public_url"
                          : !config->has_key                  ? "key_file"
                          : config->support == NULL           ? "support"
                                                              : NULL;

    if (missing != NULL)
        return apw_error_set(error, "%s: %s is missing", path, missing);
    return check_trust(config, path, error) == 0
               ? apw_mail_settings_check(&config->mail, path, error)
               : -1;
}

static int set_defaults(struct apw_portal_config *config, struct apw_error *error)
{
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
    free((*config)->listen_socket);
    free((*config)->listen_host);
    free((*config)->url);
    free((*config)->site);
    free((*config)->root);
    free((*config)->support);
    apw_mail_settings_free(&(*config)->mail);
    free((*config)->own_domains);
    free((*config)->imap.host);
    free((*config)->smtp.host);
    free((*config)->trusted_user_header);
    apw_secret_free(&(*config)->trusted_user_secret);
    sodium_memzero(*config, sizeof **config);
    free(*config);
    *config = NULL;
}

bool apw_portal_config_owns_address(const struct apw_portal_config *config, const char *address)
{
    const char *at = strrchr(address, '@'), *domain = at == NULL ? address : at + 1;
    const char *own = config->own_domains;

    while (*own != '\0') {
        size_t length = strcspn(own, " "), domain_length = strlen(domain);

        if (domain_length >= length &&
            strncasecmp(domain + domain_length - length, own, length) == 0 &&
            (domain_length == length || domain[domain_length - length - 1] == '.'))
            return true;
        own += length + (own[length] == ' ');
    }
    return false;
}
