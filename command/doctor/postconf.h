/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postconf: what a Postfix instance is configured to do, as postconf(1) prints it.
 */
#ifndef APW_DOCTOR_POSTCONF_H
#define APW_DOCTOR_POSTCONF_H

#include <stdbool.h>
#include <stddef.h>

#define APW_DOCTOR_POSTCONF_SERVICES_MAX 64

struct apw_doctor_postconf {
    const char *folder; /* config_directory; borrowed */
    char *parameters;   /* "name = value" lines of main.cf and the defaults */
    char *overrides;    /* "service/type/name = value" lines of master.cf */
    size_t count;
    struct apw_doctor_postconf_service { /* each that runs smtpd */
        char key[128];                   /* "submission/inet" */
        bool is_chrooted;
    } service[APW_DOCTOR_POSTCONF_SERVICES_MAX];
};

/* -1, with postconf's complaint in why_r, if it does not print the configuration. Clear *conf_r in
 * either case. */
int apw_doctor_postconf_read(const char *folder, struct apw_doctor_postconf *conf_r, char *why_r,
                             size_t size);
void apw_doctor_postconf_clear(struct apw_doctor_postconf *conf);

/* The value that counts for the service (NULL: main.cf's), "" if there is none. False if it is cut
 * off. */
bool apw_doctor_postconf_value(const struct apw_doctor_postconf *conf, const char *service,
                               const char *name, char *value_r, size_t size);

#endif
