/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "invocation.h"
#include "page_program.h"
#include "program.h"
#include "remind_state.h"
#include "say.h"
#include "settings.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRY_RUN };

static const struct apw_option table[] = {
    [DRY_RUN] = {.name = "dry-run", .help = "only show which mails"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

#define ARGUMENTS 7 /* beside the users, with NULL */

/* The page's program does it, as the page. */
static enum apw_status remind(const struct apw_invocation *invocation,
                              const struct apw_options *options)
{
    const char **arguments = calloc((size_t)options->count + ARGUMENTS, sizeof *arguments);
    size_t count = 0;
    int status;

    if (arguments == NULL) {
        apw_say(NULL, "out of memory");
        return APW_STATUS_UNAVAILABLE;
    }
    arguments[count++] = APW_PAGE_PROGRAM;
    arguments[count++] = "-c";
    arguments[count++] = invocation->config_path;
    arguments[count++] = "--remind";
    if (options->is_given[DRY_RUN])
        arguments[count++] = "--dry-run";
    arguments[count++] = "--";
    for (int i = 0; i < options->count; i++)
        arguments[count++] = options->operand[i];
    status = apw_program_run(arguments);
    free(arguments);
    if (status < 0)
        apw_say("remind", APW_PAGE_PROGRAM " cannot be run, or was ended");
    return apw_page_program_status(status);
}

/* Looked up before anything else, so that the timer does not fail on a host where the page is not
 * configured yet. */
static bool is_off(const char *config_path)
{
    char path[PATH_MAX], *topics = NULL;
    struct apw_error error = {""};
    bool is_off;

    if (apw_settings_sibling(config_path, "portal.conf", path, sizeof path, &error) == 0)
        topics = apw_settings_find(path, "remind");
    is_off = topics == NULL || strcmp(topics, "off") == 0;
    free(topics);
    return is_off;
}

/* While reminders are off, the page does not record which app passwords it makes itself. */
static enum apw_status rest(bool is_dry_run)
{
    struct apw_error error = {""};

    puts("remind is off in portal.conf: nothing to do");
    if (is_dry_run || apw_remind_state_remove(&error) == 0)
        return APW_STATUS_DONE;
    apw_say("remind", "%s", error.text);
    return APW_STATUS_NOT_PERMITTED;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    enum apw_status status;

    if (invocation->uris != NULL || invocation->binddn != NULL || invocation->secret_path != NULL ||
        invocation->is_prompting || invocation->mechanism != NULL)
        return apw_say_usage("remind: -H, -D, -y, -W and -Y do not apply: it works as the page, "
                             "with portal.conf");
    status = apw_page_program_check(invocation->config_path, "remind", "it");
    if (status == APW_STATUS_DONE && is_off(invocation->config_path))
        return rest(options->is_given[DRY_RUN]);
    return status == APW_STATUS_DONE ? remind(invocation, options) : status;
}

const struct apw_command apw_command_remind = {
    .name = "remind",
    .options = table,
    .usage = "[USER...]",
    .help = "mail users what expires, changes or is no longer used",
    .run = run,
};
