#include "conf.h"
#include "settings.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static int set_binddn(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    return apw_identity_set_dn(&conf->identity, value, error);
}

static int set_bindpw_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    return apw_identity_set_password_file(&conf->identity, value, error);
}

/* "host:port", a host in brackets being an IPv6 address. */
static int split_host_port(const char *value, char **host_r, char port_r[6],
                           struct apw_error *error)
{
    const char *colon = strrchr(value, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - value);
    char *end;
    long port =
        colon == NULL || !isdigit((unsigned char)colon[1]) ? 0 : strtol(colon + 1, &end, 10);

    if (length > 1 && value[0] == '[' && value[length - 1] == ']') {
        value++;
        length -= 2;
    } else if (length > 0 && memchr(value, ':', length) != NULL) {
        length = 0;
    }
    if (length == 0 || port < 1 || port > 65535 || *end != '\0' ||
        strcspn(value, " \t/\"<>") < length)
        return apw_error_set(error, "not a host and port like mail.example.org:993");
    *host_r = strndup(value, length);
    if (*host_r == NULL)
        return apw_error_set(error, "out of memory");
    snprintf(port_r, 6, "%ld", port);
    return 0;
}

static bool is_loopback(const char *host)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static int set_listen(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    if (strncmp(value, "unix:", 5) == 0) {
        if (strlen(value + 5) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
            return apw_error_set(error, "the path of the socket is too long");
        return apw_setting_check_absolute(value + 5, error) == 0
                   ? apw_setting_copy(value + 5, &conf->listen_socket, error)
                   : -1;
    }
    if (split_host_port(value, &conf->listen_host, conf->listen_port, error) == 0 &&
        is_loopback(conf->listen_host))
        return 0;
    return apw_error_set(error,
                         "\"%s\" is neither unix:/run/… nor a loopback address and port like "
                         "127.0.0.1:8025; the TLS proxy is what the world sees",
                         value);
}

static int set_public_url(void *target, const char *value, struct apw_error *error)
{
    static const char example[] = "https://mail.example.org/app-passwords";
    struct apw_conf *conf = target;
    const char *host, *path;
    size_t length = strlen(value), host_length;

    conf->is_https = strncmp(value, "https://", 8) == 0;
    if ((!conf->is_https && strncmp(value, "http://", 7) != 0) ||
        strcspn(value, " \t\"<>?#%\\") < length)
        return apw_error_set(error, "\"%s\" is not an address like %s", value, example);
    while (length > 0 && value[length - 1] == '/')
        length--;
    host = value + (conf->is_https ? 8 : 7);
    path = host + strcspn(host, "/");
    host_length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    conf->public_url = strndup(value, length);
    conf->site = host[0] == '[' ? strndup(host + 1, host_length - 2) : strndup(host, host_length);
    conf->root =
        path >= value + length ? strdup("") : strndup(path, (size_t)(value + length - path));
    if (conf->public_url == NULL || conf->site == NULL || conf->root == NULL)
        return apw_error_set(error, "out of memory");
    if (conf->site[0] == '\0')
        return apw_error_set(error, "\"%s\" names no host; it is like %s", value, example);
    if (!conf->is_https && !is_loopback(conf->site) && strcmp(conf->site, "localhost") != 0)
        return apw_error_set(error, "\"%s\" would have passwords sent in the clear; use https",
                             value);
    return 0;
}

static int set_key_file(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;
    char *text = NULL;
    size_t length = 0;

    if (apw_setting_check_absolute(value, error) != 0 || apw_secret_read(value, &text, error) != 0)
        return -1;
    conf->has_key = sodium_base642bin(conf->key, sizeof conf->key, text, strlen(text), " \t",
                                      &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
                    length == sizeof conf->key;
    apw_secret_free(&text);
    return conf->has_key ? 0
                         : apw_error_set(error,
                                         "%s: not a key of %d bytes in base64, as \"openssl rand "
                                         "-base64 %d\" makes one",
                                         value, APW_METHOD_KEY_BYTES, APW_METHOD_KEY_BYTES);
}

static int set_support(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    return apw_setting_copy(value, &conf->support, error);
}

static int set_enrolment(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    if (strcmp(value, "open") == 0)
        conf->enrolment = APW_ENROLMENT_OPEN;
    else if (strcmp(value, "code") == 0)
        conf->enrolment = APW_ENROLMENT_CODE;
    else
        return apw_error_set(error, "\"%s\" is neither open nor code", value);
    return 0;
}

static int set_sendmail(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    if (apw_setting_check_absolute(value, error) != 0)
        return -1;
    free(conf->sendmail);
    return apw_setting_copy(value, &conf->sendmail, error);
}

/* Lower case, single spaces, so that they can be compared. */
static int set_own_domains(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;
    char *to;

    free(conf->own_domains);
    if (apw_setting_copy(value, &conf->own_domains, error) != 0)
        return -1;
    to = conf->own_domains;
    for (const char *from = value; *from != '\0'; from++) {
        char c = *from == '\t' || *from == ',' ? ' ' : *from;

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c == '@' || c == '"')
            return apw_error_set(error,
                                 "\"%s\" is not a list of domains like example.org "
                                 "example.net",
                                 value);
        if (c != ' ' || (to != conf->own_domains && to[-1] != ' '))
            *to++ = c;
    }
    *to = '\0';
    return 0;
}

static int set_imap_server(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    return split_host_port(value, &conf->imap.host, conf->imap.port, error);
}

static int set_smtp_server(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    return split_host_port(value, &conf->smtp.host, conf->smtp.port, error);
}

static int set_trusted_user_header(void *target, const char *value, struct apw_error *error)
{
    struct apw_conf *conf = target;

    for (const char *c = value; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return apw_error_set(error, "\"%s\" is not the name of a header like X-Remote-User",
                                 value);
    return apw_setting_copy(value, &conf->trusted_user_header, error);
}

static const struct apw_key portal_keys[] = {
    {"binddn", set_binddn},           {"bindpw_file", set_bindpw_file},
    {"listen", set_listen},           {"public_url", set_public_url},
    {"key_file", set_key_file},       {"support", set_support},
    {"enrolment", set_enrolment},     {"sendmail", set_sendmail},
    {"own_domains", set_own_domains}, {"imap_server", set_imap_server},
    {"smtp_server", set_smtp_server}, {"trusted_user_header", set_trusted_user_header},
};
static const struct apw_key_table portal_table = {
    "app-password-portal(8)", sizeof portal_keys / sizeof portal_keys[0], portal_keys};

static int check(const struct apw_conf *conf, const char *path, struct apw_error *error)
{
    const char *missing = conf->identity.dn == NULL         ? "binddn"
                          : conf->identity.password == NULL ? "bindpw_file"
                          : conf->public_url == NULL        ? "public_url"
                          : !conf->has_key                  ? "key_file"
                          : conf->support == NULL           ? "support"
                                                            : NULL;

    if (missing != NULL)
        return apw_error_set(error, "%s: %s is missing", path, missing);
    if (conf->trusted_user_header != NULL && conf->listen_socket == NULL)
        return apw_error_set(error,
                             "%s: trusted_user_header needs \"listen unix:/run/…\": whoever "
                             "reaches a port of this host could say who they are",
                             path);
    return 0;
}

static int set_defaults(struct apw_conf *conf, struct apw_error *error)
{
    return apw_setting_copy("/usr/sbin/sendmail", &conf->sendmail, error) == 0 &&
                   apw_setting_copy("", &conf->own_domains, error) == 0
               ? 0
               : -1;
}

static int complete(struct apw_conf *conf, struct apw_error *error)
{
    if (conf->listen_socket != NULL || conf->listen_host != NULL)
        return 0;
    strcpy(conf->listen_port, "8025");
    return apw_setting_copy("127.0.0.1", &conf->listen_host, error);
}

int apw_conf_read(const char *config_path, struct apw_conf **conf_r, struct apw_error *error)
{
    const char *slash = strrchr(config_path, '/');
    int folder_length = slash == NULL ? 0 : (int)(slash - config_path + 1);
    struct apw_conf *conf = calloc(1, sizeof *conf);
    char path[PATH_MAX];

    *conf_r = NULL;
    if (conf == NULL)
        return apw_error_set(error, "out of memory");
    if (snprintf(path, sizeof path, "%.*sportal.conf", folder_length, config_path) >=
        (int)sizeof path)
        apw_error_set(error, "%s: the path is too long", config_path);
    else if (set_defaults(conf, error) == 0 &&
             apw_settings_read(path, &portal_table, NULL, conf, error) == 0 &&
             complete(conf, error) == 0 && check(conf, path, error) == 0)
        *conf_r = conf;
    if (*conf_r != NULL)
        return 0;
    apw_conf_free(&conf);
    return -1;
}

void apw_conf_free(struct apw_conf **conf)
{
    if (*conf == NULL)
        return;
    apw_identity_wipe(&(*conf)->identity);
    free((*conf)->listen_socket);
    free((*conf)->listen_host);
    free((*conf)->public_url);
    free((*conf)->site);
    free((*conf)->root);
    free((*conf)->support);
    free((*conf)->sendmail);
    free((*conf)->own_domains);
    free((*conf)->imap.host);
    free((*conf)->smtp.host);
    free((*conf)->trusted_user_header);
    sodium_memzero(*conf, sizeof **conf);
    free(*conf);
    *conf = NULL;
}

bool apw_conf_owns_address(const struct apw_conf *conf, const char *address)
{
    const char *at = strrchr(address, '@'), *domain = at == NULL ? address : at + 1;
    const char *own = conf->own_domains;

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
