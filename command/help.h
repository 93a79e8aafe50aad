/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help: --help, printed from the tables.
 */
#ifndef APW_HELP_H
#define APW_HELP_H

#include "command.h"

/* The whole summary; `commands` ends in NULL. */
void apw_help_print(const struct apw_command *const *commands, const struct apw_option *options);

/* The part about one command. */
void apw_help_print_command(const struct apw_command *command);

#endif
