/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portal_config: /etc/app-password/portal.conf, which only the portal reads.
 */
#ifndef APW_PORTAL_CONFIG_H
#define APW_PORTAL_CONFIG_H

#include "config.h"
#include "error.h"
#include "mail_settings.h"
#include "method.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_host_port {
    char *host;
    char port[6];
};

enum apw_enrolment { APW_ENROLMENT_OPEN = 0, APW_ENROLMENT_CODE };

struct apw_portal_config {
    struct apw_identity identity;
    char *listen_socket; /* path, or NULL */
    char *listen_host;   /* a loopback address, or NULL */
    char listen_port[6];
    char *url;  /* public_url, without a slash at the end */
    char *site; /* its host */
    char *root; /* its path, without a slash at the end: "" or "/app-passwords" */
    bool is_https;
    uint8_t key[APW_METHOD_KEY_BYTES]; /* secret */
    bool has_key;
    char *support;
    enum apw_enrolment enrolment;
    struct apw_mail_settings mail;
    char *own_domains;               /* lower case, separated by single spaces */
    struct apw_host_port imap, smtp; /* host NULL: not set */
    char *trusted_user_header;       /* NULL: people sign in here */
    char *trusted_user_secret;       /* required with it; the proxy sends it. Secret. */
};

/* Reads portal.conf in the folder of `config_path`, and the files that it names. Free the result.
 */
int apw_portal_config_read(const char *config_path, struct apw_portal_config **config_r,
                           struct apw_error *error);
void apw_portal_config_free(struct apw_portal_config **config); /* wipes; takes NULL */

/* Whether the address is in one of own_domains, or in a subdomain. */
bool apw_portal_config_owns_address(const struct apw_portal_config *config, const char *address);

#endif
