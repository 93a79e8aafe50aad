/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"
#include "command.h"
#include "date.h"
#include "enrolment.h"
#include "ldap/filter.h"
#include "manage.h"
#include "method.h"
#include "output.h"
#include "say.h"
#include "session.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ENFORCE_FROM, CODE, FILTER, DRY_RUN };

static const struct apw_option table[] = {
    [ENFORCE_FROM] =
        {.name = "enforce-from",
         .argument = "DATE",
         .help = "(on) only announce MFA until then: 2027-01-31 or 2027-01-31T08:00:00Z, UTC"},
    [CODE] = {.name = "code",
              .help = "(on, reset) print a code that sets up the second factor on the self-service "
                      "page"},
    [FILTER] = {.name = "filter",
                .argument = "FILTER",
                .help = "every user that matches this LDAP filter"},
    [DRY_RUN] = {.name = "dry-run", .help = "(on, off) only show what would change"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

struct mfa_request {
    bool has_enforce_from; /* if not, MFA is enforced at once */
    int64_t enforce_from;
    bool is_dry_run;
    bool with_code;
    const char *filter; /* NULL: the users are named */
};

static enum apw_manage_result report(const struct apw_manager *manager, const char *name,
                                     enum apw_manage_result result, const char *done,
                                     const struct apw_error *error)
{
    if (result == APW_MANAGE_DONE)
        apw_output_line("%s: %s%s", name, manager->is_dry_run ? "would be " : "", done);
    else if (result == APW_MANAGE_UNCHANGED)
        apw_output_line("%s: unchanged", name);
    else
        apw_say(name, "%s", error->text);
    return result;
}

/* Prints a new enrollment code. */
static enum apw_manage_result make_code(const struct apw_manager *manager,
                                        const struct apw_target *target, const char *name,
                                        bool reset)
{
    char shown[APW_PASSWORD_SHOWN_SIZE];
    struct apw_error error = {""};
    struct apw_password code;
    enum apw_manage_result result = apw_enrolment_make_code(manager, target, reset, &code, &error);

    if (result == APW_MANAGE_DONE) {
        apw_password_show(&code, shown);
        apw_output_line("%s: %scode to enroll with, once, within %d days: %s", name,
                        reset ? "second factor removed; " : "", APW_ENROLMENT_CODE_SECONDS / 86400,
                        shown);
        sodium_memzero(shown, sizeof shown);
    } else {
        apw_say(name, "%s", error.text);
    }
    sodium_memzero(&code, sizeof code);
    return result;
}

static enum apw_manage_result turn_on(const struct apw_manager *manager,
                                      const struct apw_target *target, const char *name,
                                      void *context)
{
    const struct mfa_request *request = context;
    char done[64] = "on", date[APW_DATE_RFC3339_SIZE];
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (request->has_enforce_from) {
        apw_date_format_rfc3339(request->enforce_from, date);
        snprintf(done, sizeof done, "on, enforced from %s", date);
    }
    result = apw_manage_mfa_on(manager, target,
                               request->has_enforce_from ? &request->enforce_from : NULL, &error);
    result = report(manager, name, result, done, &error);
    if (request->with_code && !manager->is_dry_run &&
        (result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED))
        result = make_code(manager, target, name, false);
    return result;
}

static enum apw_manage_result turn_off(const struct apw_manager *manager,
                                       const struct apw_target *target, const char *name,
                                       void *context)
{
    struct apw_error error = {""};
    enum apw_manage_result result = apw_manage_mfa_off(manager, target, &error);

    (void)context;
    return report(manager, name, result, "off", &error);
}

static enum apw_manage_result reset(const struct apw_manager *manager,
                                    const struct apw_target *target, const char *name,
                                    void *context)
{
    const struct mfa_request *request = context;
    struct apw_error error = {""};

    if (request->with_code)
        return make_code(manager, target, name, true);
    return report(manager, name, apw_enrolment_reset(manager, target, &error),
                  "second factor removed", &error);
}

static enum apw_manage_result print_status(const char *name, const struct apw_user *user,
                                           enum apw_mfa mfa)
{
    char date[APW_DATE_RFC3339_SIZE];

    if (mfa == APW_MFA_OFF) {
        apw_output_line("%s: off", name);
    } else if (!user->has_enforce_from) {
        apw_output_line("%s: on", name);
    } else if (user->is_enforce_from_readable) {
        apw_date_format_rfc3339(user->enforce_from, date);
        apw_output_line("%s: on, enforced from %s", name, date);
    } else {
        apw_say(name,
                "on, but appPasswordMfaEnforceFrom of %s is not a time: logins without an app "
                "password are answered \"unavailable\"; app-password mfa on fixes it",
                user->dn);
        return APW_MANAGE_REFUSED;
    }
    return APW_MANAGE_DONE;
}

static enum apw_manage_result show(const struct apw_manager *manager,
                                   const struct apw_target *target, const char *name, void *context)
{
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_user *user;
    enum apw_mfa mfa = APW_MFA_UNREADABLE;

    (void)context;
    result = apw_user_find(manager, target, &user, &error);
    if (result == APW_MANAGE_DONE)
        result = apw_user_mfa(manager, user, &mfa, &error);
    if (result == APW_MANAGE_DONE)
        result = print_status(name, user, mfa);
    else
        apw_say(name, "%s", error.text);
    apw_user_free(&user);
    return result;
}

static apw_batch_run find_verb(const char *name)
{
    static const struct {
        const char *name;
        apw_batch_run run;
    } verbs[] = {{"on", turn_on}, {"off", turn_off}, {"status", show}, {"reset", reset}};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run;
    return NULL;
}

static enum apw_status run_for_each(const struct apw_invocation *invocation, apw_batch_run run,
                                    struct mfa_request *request, int count, char **logins)
{
    const struct apw_batch batch = {.count = count, .name = logins, .filter = request->filter};
    struct apw_error error = {""};
    struct apw_session session;
    enum apw_status status = apw_session_open(invocation, &session);

    if (status != APW_STATUS_DONE)
        return status;
    session.manager.is_dry_run = request->is_dry_run;
    if ((run == turn_on || run == turn_off) && apw_manage_mfa_check(session.config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        status = APW_STATUS_CONFIGURATION;
    } else {
        status = apw_batch_run_each(&session.manager, &batch, run, request);
    }
    apw_session_close(&session);
    return status;
}

static enum apw_status check_arguments(const struct apw_options *options, apw_batch_run run)
{
    const char *verb = options->operand[0];
    bool is_named = options->count > 1, has_filter = options->is_given[FILTER];

    if (!is_named && !has_filter)
        return apw_say_usage("mfa %s: USER is missing", verb);
    if (is_named && has_filter)
        return apw_say_usage("mfa %s: USERs and --filter exclude each other", verb);
    if (options->is_given[ENFORCE_FROM] && run != turn_on)
        return apw_say_usage("--enforce-from goes with mfa on only");
    if (options->is_given[DRY_RUN] && run != turn_on && run != turn_off)
        return apw_say_usage("--dry-run goes with mfa on and mfa off only");
    if (options->is_given[CODE] && run != turn_on && run != reset)
        return apw_say_usage("--code goes with mfa on and mfa reset only");
    return APW_STATUS_DONE;
}

static enum apw_status read_request(const struct apw_options *options,
                                    struct mfa_request *request_r)
{
    const char *enforce_from = options->value[ENFORCE_FROM];
    struct apw_error error = {""};

    *request_r = (struct mfa_request){
        .has_enforce_from = options->is_given[ENFORCE_FROM],
        .is_dry_run = options->is_given[DRY_RUN],
        .with_code = options->is_given[CODE],
        .filter = options->value[FILTER],
    };
    if (enforce_from != NULL && apw_date_parse_enforce_from(enforce_from, (int64_t)time(NULL),
                                                            &request_r->enforce_from, &error) != 0)
        return apw_say_usage("--enforce-from: %s", error.text);
    if (request_r->filter != NULL && apw_filter_check(request_r->filter, false, &error) != 0)
        return apw_say_usage("--filter: %s", error.text);
    return APW_STATUS_DONE;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct mfa_request request;
    enum apw_status status = read_request(options, &request);
    apw_batch_run verb;

    if (status != APW_STATUS_DONE)
        return status;
    if (options->count == 0)
        return apw_say_usage("mfa: give on, off, status or reset");
    verb = find_verb(options->operand[0]);
    if (verb == NULL)
        return apw_say_usage("mfa %s: must be on, off, status or reset", options->operand[0]);
    status = check_arguments(options, verb);
    if (status != APW_STATUS_DONE)
        return status;
    return run_for_each(invocation, verb, &request, options->count - 1, options->operand + 1);
}

const struct apw_command apw_command_mfa = {
    .name = "mfa",
    .options = table,
    .usage = "on|off|status|reset USER...",
    .help = "turn MFA of these users on or off, show it, or remove the enrolled second factor "
            "(USER \"-\": one on each line of standard input)",
    .run = run,
};
