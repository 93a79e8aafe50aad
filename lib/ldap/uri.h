/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uri: LDAP URIs (RFC 4516), as far as they name a server.
 */
#ifndef APW_URI_H
#define APW_URI_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

#define APW_URIS_MAX 8

/* In order of preference. Owned: apw_uris_free(). */
struct apw_uris {
    unsigned count;
    char *uri[APW_URIS_MAX];
};

/* Fails unless `uri` is ldap, ldaps or ldapi with nothing after host and port. Without `start_tls`,
 * ldap must name the loopback. */
int apw_uri_check(const char *uri, bool start_tls, struct apw_error *error);

/* Reads URIs separated by white space and checks each. */
int apw_uris_parse(const char *text, bool start_tls, struct apw_uris *uris_r,
                   struct apw_error *error);
int apw_uris_copy(const struct apw_uris *uris, struct apw_uris *copy_r, struct apw_error *error);
void apw_uris_free(struct apw_uris *uris);

/* The path of the socket that an ldapi URI names. False for other URIs, for one that does not name
 * it, and if it does not fit. */
bool apw_uri_socket(const char *uri, char *path_r, size_t size);

bool apw_uris_are_ldapi(const struct apw_uris *uris);

/* Whether a connection to any of them uses TLS. */
bool apw_uris_need_tls(const struct apw_uris *uris, bool start_tls);

/* Fails for a global catalog of Active Directory, by its port. */
int apw_uris_check_catalog(const struct apw_uris *uris, struct apw_error *error);

/* Collects the URIs of both lists, each once; borrowed. Returns their number. */
size_t apw_uris_unite(const struct apw_uris *first, const struct apw_uris *second,
                      char *uri_r[2 * APW_URIS_MAX]);

#endif
