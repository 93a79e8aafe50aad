/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command: app-password, for administrators and help desks.
 *
 * Each command is one file that ends in its row; commands.c lists the rows.
 */
#ifndef APW_COMMAND_H
#define APW_COMMAND_H

#include "option.h"
#include "status.h"

struct apw_invocation;

struct apw_command {
    const char *name;
    const struct apw_option *options;
    const char
        *usage; /* its operands; the completion offers the parts of a first word in lower case */
    const char *help;
    enum apw_status (*run)(const struct apw_invocation *invocation,
                           const struct apw_options *options);
};

#endif
