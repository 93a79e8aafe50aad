/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * invocation: the options before COMMAND.
 */
#ifndef APW_INVOCATION_H
#define APW_INVOCATION_H

#include "option.h"
#include <stdbool.h>

/* As typed; NULL if not given. */
struct apw_invocation {
    const char *config_path; /* never NULL */
    bool is_default_config;  /* no -c */
    const char *uris;        /* -H */
    const char *binddn;      /* -D */
    const char *secret_path; /* -y */
    bool is_prompting;       /* -W */
    const char *mechanism;   /* -Y */
    bool is_help;
    bool is_version;
    int count; /* COMMAND and its arguments */
    char **argument;
};

extern const struct apw_option apw_invocation_options[];

/* Reads them from main()'s arguments; -1 after a usage error. */
int apw_invocation_read(int argc, char **argv, struct apw_invocation *invocation_r);

#endif
