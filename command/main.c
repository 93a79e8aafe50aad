#include "apw_build.h"
#include "command.h"
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    apw_command run;
} commands[] = {
    {"mfa", apw_command_mfa},       {"create", apw_command_create}, {"list", apw_command_list},
    {"revoke", apw_command_revoke}, {"report", apw_command_report}, {"doctor", apw_command_doctor},
    {"check", apw_command_check},
};

/* Where a standard stream is closed, the connection to the directory would take its number, and an
 * app password meant for standard output would be sent there. What is opened here instead cannot
 * be written to. */
static int occupy_standard_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != file)
            return -1;
    return 0;
}

static enum apw_status run_command(const struct apw_invocation *invocation, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, argv[0]) == 0)
            return commands[i].run(invocation, argc, argv);
    return apw_say_usage("no such command: %s", argv[0]);
}

/* Reads the options before COMMAND. APW_OPTION_END where a command follows, 'h' or 'V' where that
 * was asked for. */
static int read_options(int argc, char **argv, struct apw_invocation *invocation)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };

    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "+c:H:D:y:WY:hV", longs);

        switch (found) {
        case 'c':
            invocation->config_path = optarg;
            break;
        case 'H':
            invocation->uris = optarg;
            break;
        case 'D':
            invocation->binddn = optarg;
            break;
        case 'y':
            invocation->secret_path = optarg;
            break;
        case 'W':
            invocation->is_prompting = true;
            break;
        case 'Y':
            invocation->mechanism = optarg;
            break;
        default:
            return found;
        }
    }
}

static enum apw_status run(int argc, char **argv)
{
    struct apw_invocation invocation = {.config_path = apw_config_default_path};

    switch (read_options(argc, argv, &invocation)) {
    case APW_OPTION_HELP:
        apw_help_print();
        return APW_STATUS_DONE;
    case 'V':
        puts("app-password " PACKAGE_VERSION);
        return APW_STATUS_DONE;
    case APW_OPTION_BAD:
        return APW_STATUS_USAGE;
    }
    if (optind == argc)
        return apw_say_usage("which COMMAND: mfa, create, list, revoke, report, check or doctor?");
    return run_command(&invocation, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    enum apw_status status;

    /* libldap shall not read ldap.conf and LDAP* variables at all: they do not apply here, and
     * LDAPKEEPALIVE_IDLE makes OpenLDAP 2.5 write past its own options. */
    setenv("LDAPNOINIT", "1", 1);
    if (occupy_standard_streams() != 0 || sodium_init() < 0) {
        apw_say(NULL, "this system gives neither /dev/null nor random numbers");
        return APW_STATUS_UNAVAILABLE;
    }
    /* A reader that is gone shall be an error of the write: there is something to undo then. */
    signal(SIGPIPE, SIG_IGN);
    status = run(argc, argv);
    if (apw_output_finish() != 0 && status == APW_STATUS_DONE)
        status = APW_STATUS_FAILED;
    return (int)status;
}
