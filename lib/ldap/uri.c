/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/uri.h"
#include "network.h"
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of Active Directory (MS-ADTS, 3.1.1.3.1.9). */
#define CATALOG_PORT     3268
#define CATALOG_TLS_PORT 3269

static bool is_loopback(const char *host)
{
    return host == NULL || *host == '\0' || strcasecmp(host, "localhost") == 0 ||
           apw_network_is_loopback(host);
}

static int check_url(const LDAPURLDesc *url, const char *uri, bool start_tls,
                     struct apw_error *error)
{
    if (strcmp(url->lud_scheme, "ldap") != 0 && strcmp(url->lud_scheme, "ldaps") != 0 &&
        strcmp(url->lud_scheme, "ldapi") != 0)
        return apw_error_set(error, "\"%s\" must begin with ldap://, ldaps:// or ldapi://", uri);
    if ((url->lud_host == NULL || *url->lud_host == '\0') && url->lud_dn != NULL &&
        *url->lud_dn != '\0')
        return apw_error_set(error,
                             "\"%s\" asks for DNS SRV records, which are not supported; write the "
                             "servers: ldaps://ldap1.example.org ldaps://ldap2.example.org",
                             uri);
    if ((url->lud_dn != NULL && *url->lud_dn != '\0') || url->lud_attrs != NULL ||
        url->lud_filter != NULL || url->lud_exts != NULL)
        return apw_error_set(error,
                             "\"%s\" has more than host and port; set base and filter with "
                             "their own keys",
                             uri);
    if (url->lud_port < 0 || url->lud_port > 65535)
        return apw_error_set(error, "\"%s\" must have a port from 1 to 65535", uri);
    if (strcmp(url->lud_scheme, "ldap") == 0 && !start_tls && !is_loopback(url->lud_host))
        return apw_error_set(error,
                             "\"%s\" would send passwords in the clear; use ldaps:// or "
                             "set \"start_tls yes\", for a store \"store_start_tls yes\"",
                             uri);
    return 0;
}

int apw_uri_check(const char *uri, bool start_tls, struct apw_error *error)
{
    LDAPURLDesc *url;
    int status;

    if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
        return apw_error_set(error, "\"%s\" is not a URI like ldaps://ldap.example.org", uri);
    status = check_url(url, uri, start_tls, error);
    ldap_free_urldesc(url);
    return status;
}

bool apw_uri_socket(const char *uri, char *path_r, size_t size)
{
    LDAPURLDesc *url;
    bool is_found;

    if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
        return false;
    is_found = strcmp(url->lud_scheme, "ldapi") == 0 && url->lud_host != NULL &&
               *url->lud_host != '\0' && (size_t)snprintf(path_r, size, "%s", url->lud_host) < size;
    ldap_free_urldesc(url);
    return is_found;
}

/* Upper and lower case are the same (RFC 3986, 3.1). */
static bool has_scheme(const char *uri, const char *scheme)
{
    size_t length = strlen(scheme);

    return strncasecmp(uri, scheme, length) == 0 && uri[length] == ':';
}

int apw_uris_parse(const char *text, bool start_tls, struct apw_uris *uris_r,
                   struct apw_error *error)
{
    uris_r->count = 0;
    for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
        size_t length = strcspn(text, " \t");
        char *uri;

        if (uris_r->count == APW_URIS_MAX) {
            apw_error_set(error, "more than %d URIs", APW_URIS_MAX);
            goto failed;
        }
        uri = strndup(text, length);
        if (uri == NULL) {
            apw_error_set(error, "out of memory");
            goto failed;
        }
        uris_r->uri[uris_r->count++] = uri;
        if (apw_uri_check(uri, start_tls, error) != 0)
            goto failed;
        text += length;
    }
    if (uris_r->count > 0)
        return 0;
    apw_error_set(error, "no URI; write one like ldaps://ldap.example.org");
failed:
    apw_uris_free(uris_r);
    return -1;
}

int apw_uris_copy(const struct apw_uris *uris, struct apw_uris *copy_r, struct apw_error *error)
{
    copy_r->count = 0;
    for (unsigned i = 0; i < uris->count; i++) {
        copy_r->uri[i] = strdup(uris->uri[i]);
        if (copy_r->uri[i] == NULL) {
            apw_uris_free(copy_r);
            return apw_error_set(error, "out of memory");
        }
        copy_r->count++;
    }
    return 0;
}

void apw_uris_free(struct apw_uris *uris)
{
    for (unsigned i = 0; i < uris->count; i++)
        free(uris->uri[i]);
    uris->count = 0;
}

bool apw_uris_are_ldapi(const struct apw_uris *uris)
{
    for (unsigned i = 0; i < uris->count; i++)
        if (!has_scheme(uris->uri[i], "ldapi"))
            return false;
    return true;
}

bool apw_uris_need_tls(const struct apw_uris *uris, bool start_tls)
{
    for (unsigned i = 0; i < uris->count; i++)
        if (has_scheme(uris->uri[i], "ldaps") || (start_tls && has_scheme(uris->uri[i], "ldap")))
            return true;
    return false;
}

int apw_uris_check_catalog(const struct apw_uris *uris, struct apw_error *error)
{
    for (unsigned i = 0; i < uris->count; i++) {
        LDAPURLDesc *url;
        int port;

        if (ldap_url_parse(uris->uri[i], &url) != LDAP_URL_SUCCESS)
            continue;
        port = url->lud_port;
        ldap_free_urldesc(url);
        if (port == CATALOG_PORT || port == CATALOG_TLS_PORT)
            return apw_error_set(error,
                                 "\"%s\" is a global catalog: it has only the attributes that are "
                                 "replicated to it, and takes no changes; use the domain "
                                 "controller itself, port 636 for ldaps or 389 for ldap",
                                 uris->uri[i]);
    }
    return 0;
}

size_t apw_uris_unite(const struct apw_uris *first, const struct apw_uris *second,
                      char *uri_r[2 * APW_URIS_MAX])
{
    const struct apw_uris *const lists[] = {first, second};
    size_t count = 0;

    for (size_t list = 0; list < 2; list++)
        for (unsigned i = 0; i < lists[list]->count; i++) {
            size_t known = 0;

            while (known < count && strcmp(uri_r[known], lists[list]->uri[i]) != 0)
                known++;
            if (known == count)
                uri_r[count++] = lists[list]->uri[i];
        }
    return count;
}
