/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portal_config: /etc/app-password/portal.conf, which only the portal reads.
 */
#ifndef APW_PORTAL_CONFIG_H
#define APW_PORTAL_CONFIG_H

#include "config.h"
#include "error.h"
#include "factor_settings.h"
#include "helpdesk_settings.h"
#include "host_port.h"
#include "mail_settings.h"
#include "method.h"
#include "profile_signer.h"
#include "proxy_settings.h"
#include "remind_settings.h"
#include "support.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_enrolment { APW_ENROLMENT_OPEN = 0, APW_ENROLMENT_CODE };

struct apw_portal_config {
    struct apw_identity identity;
    struct apw_identity store_identity; /* unset without a store */
    char *listen_socket;                /* path, or NULL */
    char *listen_host;                  /* a loopback address, or NULL */
    char listen_port[6];
    char *url;  /* public_url, without a slash at the end */
    char *site; /* its host */
    char *root; /* its path, without a slash at the end: "" or "/app-passwords" */
    bool is_https;
    uint8_t key[APW_METHOD_KEY_BYTES]; /* secret */
    bool has_key;
    struct apw_supports support;
    char *time_zone; /* NULL: the host's */
    bool has_reverse_names;
    enum apw_enrolment enrolment;
    struct apw_factor_settings factors;
    struct apw_mail_settings mail;
    char *own_domains;                            /* see own_domains.h */
    struct apw_host_port imap, smtp, pop3, sieve; /* host NULL: not set */
    struct apw_profile_signer *profile_signer;    /* NULL: profiles are not signed */
    struct apw_proxy_settings proxy;
    struct apw_helpdesk_settings helpdesk;
    struct apw_remind_settings remind;
};

/* Reads portal.conf in the folder of `config_path`, and the files that it names. Free the result.
 */
int apw_portal_config_read(const char *config_path, struct apw_portal_config **config_r,
                           struct apw_error *error);
void apw_portal_config_free(struct apw_portal_config **config); /* wipes; takes NULL */

/* Fails unless there is an identity in the store, if app-password.conf has one. */
int apw_portal_config_check_store(const struct apw_portal_config *config, bool has_store,
                                  struct apw_error *error);

#endif
