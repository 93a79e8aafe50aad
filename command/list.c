/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "invitation.h"
#include "json.h"
#include "rights.h"
#include "say.h"
#include "session.h"
#include "table.h"
#include <stdio.h>

enum { JSON, REVOKED, INVITATIONS };

static const struct apw_option table[] = {
    [JSON] = {.name = "json", .help = "for programs"},
    [REVOKED] = {.name = "revoked", .help = "show those that were revoked, too"},
    [INVITATIONS] = {.name = "invitations", .help = "show unused invitations, too"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

static enum apw_status print(const char *login, const struct apw_user *user,
                             const struct apw_options *options)
{
    bool with_revoked = options->is_given[REVOKED];
    bool with_invitations = options->is_given[INVITATIONS];
    int printed = 0;

    if (options->is_given[JSON])
        printed = apw_json_print(user, with_revoked, with_invitations);
    else if (user->password_count > 0)
        printed = apw_table_print(user);
    else if (user->tombstone_count > 0)
        apw_say(login, "no app passwords%s", with_revoked ? "" : "; --revoked shows revoked ones");
    else
        apw_say(login, "no app passwords, or none that this identity may read");
    if (with_revoked && !options->is_given[JSON])
        apw_table_print_revoked(user);
    if (with_invitations && !options->is_given[JSON])
        apw_table_print_invitations(user);
    else if (!options->is_given[JSON] && apw_invitation_count(user) > 0)
        apw_say(login, "%zu unused invitation%s; --invitations shows them",
                apw_invitation_count(user), apw_invitation_count(user) == 1 ? "" : "s");
    if (printed == 0)
        return APW_STATUS_DONE;
    apw_say(login, "out of memory");
    return APW_STATUS_UNAVAILABLE;
}

static enum apw_status list(struct apw_manager *manager, const struct apw_options *options)
{
    const char *login = options->operand[0];
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result;
    enum apw_status status;

    manager->with_enrolment = true; /* invitations */
    result = apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error);
    if (result == APW_MANAGE_DONE)
        result = apw_rights_check(manager, user, &error);
    status = apw_status_of(result);
    if (result == APW_MANAGE_DONE)
        status = print(login, user, options);
    else
        apw_say(login, "%s", error.text);
    apw_user_free(&user);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct apw_session session;
    enum apw_status status;

    if (options->count == 0)
        return apw_say_usage("list: USER is missing");
    if (options->count > 1)
        return apw_say_usage("list: one USER at a time, not also \"%s\"", options->operand[1]);
    status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    status = list(&session.manager, options);
    apw_session_close(&session);
    return status;
}

const struct apw_command apw_command_list = {
    .name = "list",
    .options = table,
    .usage = "USER",
    .help = "show the app passwords, but not the secrets",
    .run = run,
};
