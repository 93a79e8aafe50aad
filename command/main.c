/* SPDX-License-Identifier: BSD-2-Clause */
#include "apw_build.h"
#include "commands.h"
#include "help.h"
#include "invocation.h"
#include "output.h"
#include "say.h"
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* If a standard stream is closed, the connection to the directory would get its number, and an app
 * password meant for standard output would be sent there. /dev/null, opened for reading, takes the
 * number instead and cannot be written to. */
static int occupy_standard_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != file)
            return -1;
    return 0;
}

static enum apw_status complain_without_command(void)
{
    char names[256] = "";

    for (size_t i = 0; apw_commands[i] != NULL; i++) {
        const char *before = i == 0 ? "" : apw_commands[i + 1] != NULL ? ", " : " or ";
        size_t length = strlen(names);

        snprintf(names + length, sizeof names - length, "%s%s", before, apw_commands[i]->name);
    }
    return apw_say_usage("COMMAND is missing; give %s", names);
}

static enum apw_status run_command(const struct apw_invocation *invocation)
{
    const struct apw_command *command;
    struct apw_options options;

    if (invocation->count == 0)
        return complain_without_command();
    command = apw_commands_find(invocation->argument[0]);
    if (command == NULL)
        return apw_say_usage("no such command: %s", invocation->argument[0]);
    if (apw_option_read(command->options, invocation->count, invocation->argument, &options) != 0)
        return APW_STATUS_USAGE;
    if (!options.is_help)
        return command->run(invocation, &options);
    apw_help_print_command(command);
    return APW_STATUS_DONE;
}

static enum apw_status run(int argc, char **argv)
{
    struct apw_invocation invocation;

    if (apw_invocation_read(argc, argv, &invocation) != 0)
        return APW_STATUS_USAGE;
    if (invocation.is_help) {
        apw_help_print(apw_commands, apw_invocation_options);
        return APW_STATUS_DONE;
    }
    if (invocation.is_version) {
        puts("app-password " PACKAGE_VERSION);
        return APW_STATUS_DONE;
    }
    return run_command(&invocation);
}

int main(int argc, char **argv)
{
    enum apw_status status;

    /* ldap.conf and the LDAP* variables do not apply here, and LDAPKEEPALIVE_IDLE makes OpenLDAP
     * 2.5 write past its own options. */
    setenv("LDAPNOINIT", "1", 1);
    if (occupy_standard_streams() != 0 || sodium_init() < 0) {
        apw_say(NULL, "cannot open /dev/null or get random numbers from the system");
        return APW_STATUS_UNAVAILABLE;
    }
    /* If the reader has gone, the write must fail instead of ending the process: an app password
     * that nobody saw is revoked then. */
    signal(SIGPIPE, SIG_IGN);
    status = run(argc, argv);
    if (apw_output_finish() != 0 && status == APW_STATUS_DONE)
        status = APW_STATUS_FAILED;
    return (int)status;
}
