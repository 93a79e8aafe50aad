/*
 * argument: what stands behind the module's name in a PAM configuration. Pure.
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

/* -1 where an argument is unknown, stands there twice or has a bad value; arguments_r then holds
 * those that are good, so that tempfail= has its effect on this failure too. */
int apw_pam_arguments_parse(int argc, const char **argv, struct apw_pam_arguments *arguments_r,
                            struct apw_error *error);

#endif
