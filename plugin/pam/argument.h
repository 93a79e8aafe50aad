/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * argument: the module's arguments in a PAM configuration. Pure.
 */
#ifndef APW_PAM_ARGUMENT_H
#define APW_PAM_ARGUMENT_H

#include "error.h"
#include <stdbool.h>

/* All borrowed from argv. */
struct apw_pam_arguments {
    const char *config;
    const char *service; /* NULL: the PAM service */
    bool exits_on_tempfail;
};

/* -1 if an argument is unknown, repeated or invalid. arguments_r then has the valid ones, so that
 * tempfail= applies to this failure too. */
int apw_pam_arguments_parse(int argc, const char **argv, struct apw_pam_arguments *arguments_r,
                            struct apw_error *error);

#endif
