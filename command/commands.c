/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands.h"
#include <stddef.h>
#include <string.h>

extern const struct apw_command apw_command_mfa, apw_command_create, apw_command_invite,
    apw_command_list, apw_command_revoke, apw_command_report, apw_command_check, apw_command_doctor,
    apw_command_setup, apw_command_schema, apw_command_store, apw_command_remind;

const struct apw_command *const apw_commands[] = {
    &apw_command_mfa,
    &apw_command_create,
    &apw_command_invite,
    &apw_command_list,
    &apw_command_revoke,
    &apw_command_remind,
    &apw_command_report,
    &apw_command_check,
    &apw_command_doctor,
    &apw_command_setup,
    &apw_command_schema,
    &apw_command_store,
    NULL,
};

const struct apw_command *apw_commands_find(const char *name)
{
    for (size_t i = 0; apw_commands[i] != NULL; i++)
        if (strcmp(apw_commands[i]->name, name) == 0)
            return apw_commands[i];
    return NULL;
}
