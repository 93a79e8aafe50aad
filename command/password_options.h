/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password_options: the options that describe a new app password.
 */
#ifndef APW_PASSWORD_OPTIONS_H
#define APW_PASSWORD_OPTIONS_H

#include "option.h"
#include "password_spec.h"
#include "status.h"
#include <stdint.h>

/* The first rows of a table of options. */
enum {
    APW_PASSWORD_OPTION_LABEL,
    APW_PASSWORD_OPTION_SERVICES,
    APW_PASSWORD_OPTION_EXPIRES,
    APW_PASSWORD_OPTION_FROM,
    APW_PASSWORD_OPTION_COUNT,
};

#define APW_PASSWORD_OPTIONS                                                                       \
    [APW_PASSWORD_OPTION_LABEL] = {.name = "label",                                                \
                                   .argument = "TEXT",                                             \
                                   .help = "the device or program that will use it"},              \
    [APW_PASSWORD_OPTION_SERVICES] = {.name = "services",                                          \
                                      .argument = "NAME,...",                                      \
                                      .words = "smtp imap pop3 sieve",                             \
                                      .help = "for these services only: smtp, imap, pop3, sieve"}, \
    [APW_PASSWORD_OPTION_EXPIRES] = {.name = "expires",                                            \
                                     .argument = "WHEN",                                           \
                                     .help = "90d, 2027-01-31 (that whole day, UTC), never"},      \
    [APW_PASSWORD_OPTION_FROM] = {.name = "from",                                                  \
                                  .argument = "NETWORK,...",                                       \
                                  .help = "from these addresses only: 192.0.2.0/24"}

/* Reads the values of these options, or of a line of a list; NULL stands for one that is not given.
 * The spec borrows from them and from *expires_r; *record_r is what it would store. */
int apw_password_options_parse(const char *const value[APW_PASSWORD_OPTION_COUNT],
                               struct apw_password_spec *spec_r, int64_t *expires_r,
                               struct apw_record *record_r, struct apw_error *error);

/* Reads them, and the one USER; rejects a bad request before prompting or connecting. The spec
 * borrows from the options and *expires_r; *record_r is what it would store. */
enum apw_status apw_password_options_read(const char *command, const struct apw_options *options,
                                          struct apw_password_spec *spec_r, int64_t *expires_r,
                                          struct apw_record *record_r);

/* Ends the record as the policy says, and says so if that is earlier than asked for. */
void apw_password_options_limit(const struct apw_config *config,
                                const struct apw_password_spec *spec, struct apw_record *record);

/* Prints what it may do, for people. */
void apw_password_options_describe(const struct apw_record *record);

#endif
