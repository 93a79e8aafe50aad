/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands: the list of all commands.
 */
#ifndef APW_COMMANDS_H
#define APW_COMMANDS_H

#include "command.h"

/* Ends in NULL. */
extern const struct apw_command *const apw_commands[];

/* NULL if there is no such command. */
const struct apw_command *apw_commands_find(const char *name);

#endif
