/* SPDX-License-Identifier: BSD-2-Clause */
#include "invocation.h"
#include "config.h"

enum { CONFIG, URI, BINDDN, SECRET, PROMPT, MECHANISM, VERSION };

const struct apw_option apw_invocation_options[] = {
    [CONFIG] = {.letter = 'c', .argument = "FILE", .help = "path of app-password.conf"},
    [URI] = {.letter = 'H',
             .argument = "URI",
             .help = "the LDAP server, or that of the store; several in quotes"},
    [BINDDN] = {.letter = 'D',
                .argument = "DN",
                .help = "bind as this administrator, with -y or -W"},
    [SECRET] = {.letter = 'y',
                .argument = "FILE",
                .help = "read the administrator's password from this file"},
    [PROMPT] = {.letter = 'W', .help = "ask for the administrator's password"},
    [MECHANISM] = {.letter = 'Y',
                   .argument = "EXTERNAL|GSSAPI",
                   .words = "EXTERNAL GSSAPI",
                   .help = "bind as the calling system user, over ldapi, or with your Kerberos "
                           "ticket"},
    [VERSION] = {.letter = 'V', .name = "version", .help = "print the version"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

int apw_invocation_read(int argc, char **argv, struct apw_invocation *invocation_r)
{
    struct apw_options options;

    if (apw_option_read_leading(apw_invocation_options, argc, argv, &options) != 0)
        return -1;
    *invocation_r = (struct apw_invocation){
        .config_path = options.is_given[CONFIG] ? options.value[CONFIG] : apw_config_default_path,
        .is_default_config = !options.is_given[CONFIG],
        .uris = options.value[URI],
        .binddn = options.value[BINDDN],
        .secret_path = options.value[SECRET],
        .is_prompting = options.is_given[PROMPT],
        .mechanism = options.value[MECHANISM],
        .is_help = options.is_help,
        .is_version = options.is_version,
        .count = options.count,
        .argument = options.operand,
    };
    return 0;
}
