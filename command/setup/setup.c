/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "invocation.h"
#include "program.h"
#include "say.h"
#include "setup/configuration.h"
#include "setup/directory.h"
#include "setup/dovecot.h"
#include "setup/fail2ban.h"
#include "setup/page.h"
#include "setup/postfix.h"
#include "setup/questions.h"
#include "setup/scripts.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FOLDER "app-password-setup"

enum { ANSWERS, CHECK };

static const struct apw_option table[] = {
    [ANSWERS] = {.name = "answers",
                 .argument = "FILE",
                 .help = "read answers from this file instead of asking"},
    [CHECK] = {.name = "check", .help = "compare this host with FOLDER; change nothing"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

static int write_pieces(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                        struct apw_error *error)
{
    static const struct piece {
        enum apw_setup_key key;
        const char *without; /* the answer that means: nothing to write */
        int (*write)(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                     struct apw_error *error);
    } pieces[] = {
        {APW_SETUP_DIRECTORY, "elsewhere", apw_setup_directory_write},
        {APW_SETUP_DIRECTORY, "", apw_setup_configuration_write},
        {APW_SETUP_DOVECOT, "no", apw_setup_dovecot_write},
        {APW_SETUP_POSTFIX, "no", apw_setup_postfix_write},
        {APW_SETUP_PAGE, "no", apw_setup_page_write},
        {APW_SETUP_FAIL2BAN, "no", apw_setup_fail2ban_write},
    };

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (!apw_setup_answers_is(answers, pieces[i].key, pieces[i].without) &&
            pieces[i].write(folder, answers, error) != 0)
            return -1;
    return apw_setup_scripts_write(folder, answers, error);
}

static int write_folder(const char *path, const struct apw_setup_answers *answers,
                        struct apw_error *error)
{
    struct apw_setup_folder folder;
    int status;

    if (apw_setup_folder_create(path, &folder, error) != 0)
        return -1;
    status = write_pieces(&folder, answers, error);
    if (apw_setup_folder_finish(&folder, status == 0 ? error : NULL) != 0)
        status = -1;
    if (status != 0)
        apw_say(NULL, "%s is incomplete: remove it before you run this again", path);
    return status;
}

static void say_next(const char *folder)
{
    printf("\nWrote %s; nothing on this host has changed. Read it, then run as root\n\n"
           "    %s/apply.sh\n\n"
           "%s/undo.sh goes back. Below %s/etc are the files that apply.sh installs; to see what\n"
           "changes in yours:\n\n    diff -ru %s/found/etc %s/etc\n",
           folder, folder, folder, folder, folder, folder);
}

static enum apw_status check(const char *folder)
{
    char script[PATH_MAX];
    int status;

    if (snprintf(script, sizeof script, "%s/apply.sh", folder) >= (int)sizeof script)
        return apw_say_usage("%s: the path is too long", folder);
    status = apw_program_run((const char *[]){"sh", script, "--check", NULL});
    return status == 0 ? APW_STATUS_DONE : APW_STATUS_FAILED;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    const char *folder = options->count == 0 ? DEFAULT_FOLDER : options->operand[0];
    struct apw_setup_answers answers = {.value = {""}};
    struct apw_error error = {""};

    if (options->count > 1)
        return apw_say_usage("setup takes one FOLDER");
    if (options->is_given[CHECK])
        return options->is_given[ANSWERS]
                   ? apw_say_usage("--check and --answers exclude each other")
                   : check(folder);
    if (geteuid() != 0)
        apw_say(NULL, "not as root: finds less, such as nothing of cn=config");
    if (invocation->uris != NULL)
        snprintf(answers.value[APW_SETUP_DIRECTORY_URI], APW_SETUP_ANSWER_SIZE, "%s",
                 invocation->uris);
    if ((options->is_given[ANSWERS] &&
         apw_setup_questions_read(options->value[ANSWERS], &answers, &error) != 0) ||
        apw_setup_questions_complete(&answers, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    if (write_folder(folder, &answers, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_FAILED;
    }
    say_next(folder);
    return APW_STATUS_DONE;
}

const struct apw_command apw_command_setup = {
    .name = "setup",
    .options = table,
    .usage = "[FOLDER]",
    .help = "write a folder with the changes that this host and its directory need",
    .run = run,
};
