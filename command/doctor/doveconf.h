/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doveconf: the output of `doveconf` or `doveconf -n`, of Dovecot 2.3 or 2.4. Pure.
 */
#ifndef APW_DOCTOR_DOVECONF_H
#define APW_DOCTOR_DOVECONF_H

#include <stdbool.h>
#include <stdio.h>

#define APW_DOCTOR_DOVECONF_TEXT_SIZE   512 /* longer values are cut off */
#define APW_DOCTOR_DOVECONF_PASSDBS_MAX 16

/* Texts are "" if they are not set. */
struct apw_doctor_doveconf {
    char path[APW_DOCTOR_DOVECONF_TEXT_SIZE]; /* dovecot.conf, from the first line */
    /* Separated by spaces: "imap lmtp". Also "smtp", if another program asks for logins. */
    char protocols[APW_DOCTOR_DOVECONF_TEXT_SIZE];
    unsigned passdb_count;
    struct apw_doctor_passdb {
        char driver[APW_DOCTOR_DOVECONF_TEXT_SIZE];
        char file[APW_DOCTOR_DOVECONF_TEXT_SIZE];    /* the Lua script */
        char service[APW_DOCTOR_DOVECONF_TEXT_SIZE]; /* PAM's; with '%': the protocol's name */
        char result_success[APW_DOCTOR_DOVECONF_TEXT_SIZE];
        char result_failure[APW_DOCTOR_DOVECONF_TEXT_SIZE];
        char result_internalfail[APW_DOCTOR_DOVECONF_TEXT_SIZE];
        bool is_master;
        bool is_deny;
        bool is_without_authentication; /* noauthenticate: accepts nobody by itself */
        bool is_pass;                   /* 2.3: the same as result_success = continue */
        bool is_without_worker;         /* Lua: blocking=no in 2.3, use_worker = no in 2.4 */
    } passdb[APW_DOCTOR_DOVECONF_PASSDBS_MAX];
    char auth_cache_size[APW_DOCTOR_DOVECONF_TEXT_SIZE];
    char auth_mechanisms[APW_DOCTOR_DOVECONF_TEXT_SIZE];
    char default_vsz_limit[APW_DOCTOR_DOVECONF_TEXT_SIZE];
    char worker_vsz_limit[APW_DOCTOR_DOVECONF_TEXT_SIZE]; /* of auth-worker */
};

/* -1 if doveconf does not print this, or if the file is cut off; *line_r is then the number of the
 * last line read. */
int apw_doctor_doveconf_read(FILE *file, struct apw_doctor_doveconf *conf_r, unsigned *line_r);

/* Whether `protocols` has this one. */
bool apw_doctor_doveconf_has_protocol(const struct apw_doctor_doveconf *conf, const char *name);

/* A size like "512 M", "1 G" or "268435456 B" in MiB, rounded up; 0 for unlimited. */
unsigned long long apw_doctor_doveconf_mebibytes(const char *text);

#endif
