/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saslconf: the configuration file of a program that uses libsasl2, parsed as libsasl2 does
 * (sasl_config_init() in its lib/config.c), or the imapd.conf of Cyrus IMAP, which has the same
 * lines: there, libsasl2's options have "sasl_" in front of their names.
 */
#ifndef APW_DOCTOR_SASLCONF_H
#define APW_DOCTOR_SASLCONF_H

#include <stddef.h>
#include <stdio.h>

/* The options, in the order of the file. */
struct apw_doctor_saslconf {
    const char *prefix; /* of the names in the file: "sasl_" or "" */
    unsigned unread;    /* a line that may change an option, but is not understood; 0: none */
    size_t count;
    struct apw_doctor_saslconf_option {
        char *name; /* without the prefix */
        char *value;
        unsigned line;
    } * option;
};

/* -1 if libsasl2 would reject the whole file; *line_r is then the number of the line. Clear *conf_r
 * in either case. */
int apw_doctor_saslconf_read(FILE *file, struct apw_doctor_saslconf *conf_r, unsigned *line_r);
void apw_doctor_saslconf_clear(struct apw_doctor_saslconf *conf);

/* The value that counts, which is the first; NULL if the option is not set. Borrowed. */
const char *apw_doctor_saslconf_value(const struct apw_doctor_saslconf *conf, const char *name);

#endif
