/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_settings: how the page sends mail, from portal.conf.
 */
#ifndef APW_MAIL_SETTINGS_H
#define APW_MAIL_SETTINGS_H

#include "error.h"

enum apw_mail_tls {
    APW_MAIL_TLS_DEFAULT = 0, /* STARTTLS, but none to a loopback address */
    APW_MAIL_TLS_NO,
    APW_MAIL_TLS_STARTTLS,
    APW_MAIL_TLS_SMTPS,
};

/* Owned by struct apw_portal_config. */
struct apw_mail_settings {
    char *program; /* a sendmail, used instead of the relay; or NULL */
    char *host;    /* the relay; an IPv6 address is without brackets */
    char port[6];
    enum apw_mail_tls tls; /* not DEFAULT once the configuration is read */
    char *cacert;          /* NULL: the system's */
    char *user;            /* NULL: no authentication */
    char *password;        /* secret */
    char *from;            /* sender address of the envelope and the header */
};

/* Looks for contradictions in what is in the file at `path`. */
int apw_mail_settings_check(const struct apw_mail_settings *settings, const char *path,
                            struct apw_error *error);

/* Then sets the defaults; `site` is the host of public_url. */
int apw_mail_settings_complete(struct apw_mail_settings *settings, const char *site,
                               struct apw_error *error);

void apw_mail_settings_free(struct apw_mail_settings *settings); /* its members; wipes */

#endif
