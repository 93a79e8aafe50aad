/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "create_list.h"
#include "creation.h"
#include "manage.h"
#include "output.h"
#include "password_options.h"
#include "say.h"
#include "session.h"
#include "trail.h"
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { WITHOUT_MFA = APW_PASSWORD_OPTION_COUNT, FORCE, USERS, DRY_RUN };

static const struct apw_option table[] = {
    APW_PASSWORD_OPTIONS,
    [WITHOUT_MFA] = {.name = "without-mfa", .help = "even if MFA is off for this user"},
    [FORCE] = {.name = "force", .help = "even if the account has ended"},
    [USERS] = {.name = "users",
               .argument = "FILE",
               .help = "one for each line of this CSV file instead: user, label, services, "
                       "expires, from (\"-\": standard input)"},
    [DRY_RUN] = {.name = "dry-run", .help = "(--users) only show what would be created"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

/* Prints everything but the secret. */
static void describe(const char *login, const struct apw_user *user, const char *id,
                     const struct apw_record *record)
{
    apw_say(login, "new app password %s for %s", id, user->dn);
    apw_password_options_describe(record);
    fprintf(stderr, "It is shown only this once.\n");
    if (user->account_state != APW_ACCOUNT_STATE_ACTIVE)
        apw_say(login, "the account is disabled: logins are refused until it is enabled");
}

/* -1 with errno set. */
static int print_password(const struct apw_password *password)
{
    char shown[APW_PASSWORD_SHOWN_SIZE];
    int status, reason;

    apw_password_show(password, shown);
    status = apw_output_secret(shown);
    reason = errno;
    sodium_memzero(shown, sizeof shown);
    errno = reason;
    return status;
}

/* Immediately: if this host fails between storing and printing, a valid app password that nobody
 * has seen remains. */
static enum apw_status hand_over(const struct apw_manager *manager, const char *login,
                                 const struct apw_user *user, const struct apw_password *password,
                                 const struct apw_record *record)
{
    char id[APW_ID_LENGTH + 1];

    apw_password_id(password, id);
    if (print_password(password) != 0)
        return apw_creation_take_back(manager, login, id);
    describe(login, user, id, record);
    return APW_STATUS_DONE;
}

static enum apw_status create(const struct apw_manager *manager, const char *login,
                              const struct apw_password_spec *spec, const struct apw_record *record)
{
    struct apw_error error = {""};
    struct apw_password password;
    char id[APW_ID_LENGTH + 1] = "";
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error);
    enum apw_status status;

    if (result == APW_MANAGE_DONE)
        result = apw_manage_create(manager, &(struct apw_target){.login = login, .user = user},
                                   spec, &password, &error);
    if (result == APW_MANAGE_DONE)
        apw_password_id(&password, id);
    apw_trail_add(
        &(struct apw_audit){
            .action = APW_AUDIT_CREATE, .user = login, .id = id, .error = error.text},
        result);
    if (result == APW_MANAGE_DONE) {
        status = hand_over(manager, login, user, &password, record);
        sodium_memzero(&password, sizeof password);
    } else {
        status = apw_creation_complain(manager->config, login, result, &error);
    }
    apw_user_free(&user);
    return status;
}

static enum apw_status run_list(const struct apw_invocation *invocation,
                                const struct apw_options *options)
{
    const struct apw_create_list request = {
        .path = options->value[USERS],
        .options = options,
        .base = {.without_mfa = options->is_given[WITHOUT_MFA],
                 .is_forced = options->is_given[FORCE]},
        .is_dry_run = options->is_given[DRY_RUN],
    };

    if (options->count > 0)
        return apw_say_usage("create: USER and --users exclude each other");
    return apw_create_list(invocation, &request);
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct apw_password_spec spec;
    struct apw_record record;
    struct apw_session session;
    sigset_t before;
    int64_t expires;
    enum apw_status status;

    if (options->is_given[USERS])
        return run_list(invocation, options);
    if (options->is_given[DRY_RUN])
        return apw_say_usage("create: --dry-run goes with --users only");
    status = apw_password_options_read("create", options, &spec, &expires, &record);
    spec.without_mfa = options->is_given[WITHOUT_MFA];
    spec.is_forced = options->is_given[FORCE];
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    apw_password_options_limit(session.config, &spec, &record);
    apw_creation_hold_signals(&before);
    status = create(&session.manager, options->operand[0], &spec, &record);
    apw_creation_release_signals(&before);
    apw_session_close(&session);
    return status;
}

const struct apw_command apw_command_create = {
    .name = "create",
    .options = table,
    .usage = "USER --label TEXT | --users FILE",
    .help = "create an app password and print it, once",
    .run = run,
};
