/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password_spec: a requested app password, as it came from a form or a command line.
 */
#ifndef APW_PASSWORD_SPEC_H
#define APW_PASSWORD_SPEC_H

#include "config_keys.h"
#include "error.h"
#include "record.h"
#include <stdbool.h>
#include <stdint.h>

/* A requested app password. All borrowed. */
struct apw_password_spec {
    const char *label;      /* trimmed; then see apw_record_check_label() */
    const char *services;   /* comma-separated, in any case, aliases allowed; NULL for all */
    const char *from;       /* comma-separated addresses and CIDR blocks; NULL for everywhere */
    const int64_t *expires; /* seconds since 1970; NULL for default_expires */
    bool is_endless;        /* no `expires`, and no default_expires either */
    bool without_mfa;       /* even if MFA is off for the user */
    bool is_forced;         /* even if the account has ended */
    const char *invitation; /* the value that is used up by it: see invitation.h; NULL for none */
    bool is_told;           /* record that the owner learns of it: see reminder.h */
};

enum apw_password_spec_part {
    APW_PASSWORD_SPEC_GOOD = 0,
    APW_PASSWORD_SPEC_LABEL,
    APW_PASSWORD_SPEC_SERVICES,
    APW_PASSWORD_SPEC_FROM,
    APW_PASSWORD_SPEC_EXPIRES,
};

/* Fills `record_r` from the spec, except id and hash; `now` becomes the time of creation. Returns
 * APW_PASSWORD_SPEC_GOOD, or the first part that is wrong, with the reason in `error`. Pure. */
enum apw_password_spec_part apw_password_spec_to_record(const struct apw_password_spec *spec,
                                                        int64_t now, struct apw_record *record_r,
                                                        struct apw_error *error);

/* Then ends the record as default_expires and max_lifetime say. True if that is earlier than the
 * spec asks for. Pure. */
bool apw_password_spec_limit(const struct apw_password_spec *spec, const struct apw_config *config,
                             struct apw_record *record);

#endif
