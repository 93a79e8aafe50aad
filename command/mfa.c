/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"
#include "code.h"
#include "command.h"
#include "date.h"
#include "enrolment.h"
#include "factor_kinds.h"
#include "ldap/filter.h"
#include "ldap/filter_tree.h"
#include "method.h"
#include "mfa_change.h"
#include "mfa_switch.h"
#include "output.h"
#include "policy_words.h"
#include "reset.h"
#include "rights.h"
#include "say.h"
#include "session.h"
#include "sheet.h"
#include "store.h"
#include "trail.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ENFORCE_FROM, ANNOUNCE, NOW, CODE, CSV, FILTER, USERS, DRY_RUN };

static const struct apw_option table[] = {
    [ENFORCE_FROM] =
        {.name = "enforce-from",
         .argument = "DATE",
         .help = "(on) only announce MFA until then: 2027-01-31 or 2027-01-31T08:00:00Z, UTC"},
    [ANNOUNCE] = {.name = "announce",
                  .argument = "PERIOD",
                  .help = "(on) if MFA is off, announce it for so long: 14d"},
    [NOW] = {.name = "now", .help = "(on) enforce MFA at once, even if it is announced"},
    [CODE] = {.name = "code",
              .help = "(on, reset) print a code that sets up the second factor on the self-service "
                      "page"},
    [CSV] = {.name = "csv", .help = "(--code) print the codes for a mail merge"},
    [FILTER] = {.name = "filter",
                .argument = "FILTER",
                .help = "every user that matches this LDAP filter"},
    [USERS] = {.name = "users",
               .argument = "FILE",
               .help =
                   "every user in the column \"user\" of this CSV file (\"-\": standard input)"},
    [DRY_RUN] = {.name = "dry-run", .help = "(on, off, reset) only show what would change"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

struct mfa_request {
    struct apw_mfa_start start;
    int64_t from;     /* of `start` */
    bool has_period;  /* --announce */
    int64_t period_s; /* mfa_grace unless has_period; 0: none */
    bool is_dry_run;
    bool with_code;
    bool is_csv;        /* the code */
    bool is_single;     /* one named user */
    bool has_lost_code; /* it could not be printed */
    unsigned unwarned;  /* users without an app password, whom an announcement gives time */
    const char *filter; /* NULL: the users are named */
    const char *users;  /* a list of them; NULL */
};

/* Logs a change. */
static void note(enum apw_audit_action action, const char *name, enum apw_manage_result result,
                 const struct apw_error *error)
{
    apw_trail_add(&(struct apw_audit){.action = action, .user = name, .error = error->text},
                  result);
}

static enum apw_manage_result report(const struct apw_manager *manager, const char *name,
                                     enum apw_manage_result result,
                                     const struct apw_mfa_switched *switched,
                                     const struct apw_error *error)
{
    if (result == APW_MANAGE_DONE)
        apw_mfa_change_print(name, switched, manager->is_dry_run);
    else if (result == APW_MANAGE_UNCHANGED)
        apw_mfa_change_print_unchanged(name, switched);
    else
        apw_say(name, "%s", error->text);
    return result;
}

/* Nobody has the code if it cannot be printed, so this ends the list. */
static enum apw_manage_result print_code(const char *name, const struct apw_user *user,
                                         const struct apw_password *code, bool reset,
                                         struct mfa_request *request)
{
    int status =
        request->is_csv ? apw_code_print_csv(name, user, code) : apw_code_print(name, code, reset);

    if (status == 0)
        return APW_MANAGE_DONE;
    apw_say(name, "standard output: %s; nobody has seen the code: make another one",
            strerror(errno));
    request->has_lost_code = true;
    return APW_MANAGE_UNAVAILABLE;
}

/* Makes and prints a new enrollment code. */
static enum apw_manage_result make_code(const struct apw_manager *manager,
                                        const struct apw_target *target, const char *name,
                                        struct mfa_request *request, bool reset)
{
    struct apw_manager reading = *manager;
    struct apw_target read = *target;
    struct apw_error error = {""};
    struct apw_user *user = NULL;
    struct apw_password code = {{0}};
    enum apw_manage_result result = APW_MANAGE_DONE;

    reading.with_enrolment = true; /* for the person's name and mail address */
    if (request->is_csv)
        result = apw_user_find(&reading, target, &user, &error);
    read.user = user;
    if (result == APW_MANAGE_DONE)
        result = apw_enrolment_make_code(&reading, &read, reset, &code, &error);
    note(reset ? APW_AUDIT_RESET : APW_AUDIT_CODE, name, result, &error);
    if (reset && result == APW_MANAGE_DONE)
        note(APW_AUDIT_CODE, name, result, &error);
    if (result != APW_MANAGE_DONE)
        apw_say(name, "%s", error.text);
    else
        result = print_code(name, user, &code, reset, request);
    sodium_memzero(&code, sizeof code);
    apw_user_free(&user);
    return result;
}

/* Says what the administrator should know after `mfa on`. */
static void advise(const struct apw_manager *manager, const char *name,
                   const struct apw_mfa_switched *switched, bool is_unchanged,
                   struct mfa_request *request)
{
    bool is_announced = apw_mfa_change_is_announced(&switched->after);

    if (is_unchanged && is_announced && request->is_single && !request->with_code)
        apw_say(name, "--now enforces MFA at once; --enforce-from DATE moves the date");
    if (switched->has_app_password || manager->config->mfa_enforcement == APW_MFA_REPORT)
        return;
    if (is_announced && !request->is_single)
        request->unwarned++;
    else
        apw_mfa_change_warn(name, &switched->after, manager->is_dry_run);
}

static enum apw_manage_result turn_on(const struct apw_manager *manager,
                                      const struct apw_target *target, const char *name,
                                      void *context)
{
    struct mfa_request *request = context;
    struct apw_mfa_switched switched;
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_mfa_switch_on(manager, target, &request->start, &switched, &error);

    note(APW_AUDIT_MFA_ON, name, result, &error);
    if (!request->is_csv || (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED))
        report(manager, name, result, &switched, &error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED)
        return result;
    advise(manager, name, &switched, result == APW_MANAGE_UNCHANGED, request);
    return request->with_code && !manager->is_dry_run
               ? make_code(manager, target, name, request, false)
               : result;
}

static enum apw_manage_result turn_off(const struct apw_manager *manager,
                                       const struct apw_target *target, const char *name,
                                       void *context)
{
    struct apw_mfa_switched switched;
    struct apw_error error = {""};
    enum apw_manage_result result = apw_mfa_switch_off(manager, target, &switched, &error);

    (void)context;
    note(APW_AUDIT_MFA_OFF, name, result, &error);
    return report(manager, name, result, &switched, &error);
}

static enum apw_manage_result reset(const struct apw_manager *manager,
                                    const struct apw_target *target, const char *name,
                                    void *context)
{
    struct mfa_request *request = context;
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (request->with_code)
        return make_code(manager, target, name, request, true);
    result = apw_enrolment_reset(manager, target, &error);
    note(APW_AUDIT_RESET, name, result, &error);
    if (result == APW_MANAGE_DONE)
        apw_output_line("%s: second factors removed", name);
    else if (result == APW_MANAGE_UNCHANGED)
        apw_output_line("%s: unchanged", name);
    else
        apw_say(name, "%s", error.text);
    return result;
}

static enum apw_manage_result print_status(const char *name, const struct apw_user *user,
                                           enum apw_mfa mfa)
{
    char date[APW_DATE_RFC3339_SIZE], kinds[APW_FACTOR_KINDS_SIZE];
    const char *intro = apw_factor_kinds(user, kinds) > 0 ? "; second factors: " : "";

    if (mfa == APW_MFA_OFF) {
        apw_output_line("%s: off%s%s", name, intro, kinds);
    } else if (!user->has_enforce_from) {
        apw_output_line("%s: on%s%s", name, intro, kinds);
    } else if (user->is_enforce_from_readable) {
        apw_date_format_rfc3339(user->enforce_from, date);
        apw_output_line("%s: on, enforced from %s%s%s", name, date, intro, kinds);
    } else {
        apw_say(name,
                "on, but appPasswordMfaEnforceFrom of %s is not a time: logins without an app "
                "password are answered \"unavailable\"; app-password mfa on fixes it",
                user->dn);
        return APW_MANAGE_REFUSED;
    }
    return APW_MANAGE_DONE;
}

/* A reset that the help desk has asked for. */
static enum apw_manage_result print_reset(const char *name, const struct apw_user *user)
{
    char at[APW_DATE_RFC3339_SIZE];
    struct apw_error error = {""};
    struct apw_reset reset;

    switch (apw_reset_read(user, (int64_t)time(NULL), &reset, &error)) {
    case APW_RESET_UNREADABLE:
        apw_say(name, "%s", error.text);
        return APW_MANAGE_REFUSED;
    case APW_RESET_NONE:
        return APW_MANAGE_DONE;
    case APW_RESET_WAITING:
    case APW_RESET_DUE:
        break;
    }
    apw_date_format_rfc3339(reset.at, at);
    apw_output_line("%s: %s of the help desk has asked to remove the second factors at the first "
                    "sign-in after %s",
                    name, apw_say_printable(reset.by), at);
    return APW_MANAGE_DONE;
}

static enum apw_manage_result show(const struct apw_manager *manager,
                                   const struct apw_target *target, const char *name, void *context)
{
    struct apw_manager reading = *manager;
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_user *user;
    enum apw_mfa mfa = APW_MFA_UNREADABLE;

    (void)context;
    reading.with_enrolment = true;
    result = apw_user_find(&reading, target, &user, &error);
    if (result == APW_MANAGE_DONE)
        result = apw_user_mfa(manager, user, &mfa, &error);
    if (result == APW_MANAGE_NOT_PERMITTED && user != NULL)
        result = apw_rights_check_after(manager, user, result, &error);
    if (result == APW_MANAGE_DONE)
        result = print_status(name, user, mfa);
    else
        apw_say(name, "%s", error.text);
    if (result == APW_MANAGE_DONE)
        result = print_reset(name, user);
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

/* The start of MFA for users whose MFA is off, unless the request has another. */
static void apply_grace(const struct apw_config *config, struct mfa_request *request)
{
    int64_t period_s = request->has_period ? request->period_s : config->mfa_grace_s;

    if (!request->start.is_only_if_off || period_s == 0)
        return;
    request->from = apw_date_after_period((int64_t)time(NULL), period_s);
    request->start.from = &request->from;
}

/* With a store, a filter selects in one directory or in the other. */
static enum apw_status check_filter(const struct apw_config *config, const char *filter)
{
    if (filter == NULL || !apw_config_has_store(config) ||
        apw_filter_tree_reads_only(filter, apw_store_attributes))
        return APW_STATUS_DONE;
    for (const char *const *stored = apw_store_attributes; *stored != NULL; stored++)
        if (apw_filter_tree_reads(filter, *stored))
            return apw_say_usage(
                "--filter: %s is in the store, and the rest of the filter is about "
                "the users' directory; a filter cannot ask both",
                *stored);
    return APW_STATUS_DONE;
}

/* What concerns all users of one call. */
static void conclude(const struct apw_config *config, const struct mfa_request *request)
{
    if (request->unwarned > 0)
        apw_say(NULL,
                "%u without an app password yet: from the announced date on, none of their "
                "programs can sign in without one (app-password report "
                "--mfa-without-app-password)",
                request->unwarned);
    if (config->mfa_enforcement == APW_MFA_REPORT)
        apw_say(NULL, "mfa_enforcement in %s is report: account passwords still work",
                config->path);
}

static enum apw_status run_in(struct apw_session *session, apw_batch_run run,
                              struct mfa_request *request, const struct apw_batch *batch)
{
    const struct apw_config *config = session->config;
    enum apw_status status = APW_STATUS_DONE;
    struct apw_error error = {""};

    apply_grace(config, request);
    if ((run == turn_on || run == turn_off) && apw_mfa_switch_check(config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        status = APW_STATUS_CONFIGURATION;
    } else if ((status = check_filter(config, request->filter)) == APW_STATUS_DONE) {
        if (request->is_csv)
            apw_code_print_header();
        status = apw_batch_run_each(&session->manager, batch, run, request);
        if (request->has_lost_code)
            status = APW_STATUS_FAILED;
        if (run == turn_on)
            conclude(config, request);
        if (run == show)
            apw_policy_words_say(config);
    }
    return status;
}

static enum apw_status run_for_each(const struct apw_invocation *invocation, apw_batch_run run,
                                    struct mfa_request *request, int count, char **logins)
{
    const struct apw_batch batch = {.count = count,
                                    .name = logins,
                                    .is_literal = request->users != NULL,
                                    .filter = request->filter};
    struct apw_session session;
    enum apw_status status = apw_session_open(invocation, &session);

    if (status != APW_STATUS_DONE)
        return status;
    session.manager.is_dry_run = request->is_dry_run;
    if (!request->is_single && request->filter == NULL)
        status = apw_session_check_bind(&session);
    if (status == APW_STATUS_DONE)
        status = run_in(&session, run, request, &batch);
    apw_session_close(&session);
    return status;
}

/* Reads the names from a list. */
static enum apw_status run_for_list(const struct apw_invocation *invocation, apw_batch_run run,
                                    struct mfa_request *request)
{
    static const char *const columns[] = {"user", NULL};
    static const struct apw_sheet_format format = {.columns = columns, .ignores_others = true};
    struct apw_sheet sheet;
    struct apw_error error = {""};
    enum apw_status status;

    if (apw_sheet_read(request->users, &format, &sheet, &error) != 0)
        return apw_say_usage("%s", error.text);
    for (size_t i = 0; i < sheet.count; i++)
        if (apw_sheet_cell(&sheet, i, 0) == NULL) {
            status = apw_say_usage("%s:%u: the user is missing", request->users, sheet.line[i]);
            apw_sheet_free(&sheet);
            return status;
        }
    status = run_for_each(invocation, run, request, (int)sheet.count, (char **)sheet.cell);
    apw_sheet_free(&sheet);
    return status;
}

static int has_start(const struct apw_options *options)
{
    return options->is_given[ENFORCE_FROM] + options->is_given[ANNOUNCE] + options->is_given[NOW];
}

static enum apw_status check_arguments(const struct apw_options *options, apw_batch_run run)
{
    const char *verb = options->operand[0];
    int ways = (options->count > 1) + options->is_given[FILTER] + options->is_given[USERS];

    if (ways == 0)
        return apw_say_usage("mfa %s: USER is missing", verb);
    if (ways > 1)
        return apw_say_usage("mfa %s: USERs, --users and --filter exclude each other", verb);
    if (has_start(options) && run != turn_on)
        return apw_say_usage("--enforce-from, --announce and --now go with mfa on only");
    if (options->is_given[DRY_RUN] && run != turn_on && run != turn_off && run != reset)
        return apw_say_usage("--dry-run goes with mfa on, mfa off and mfa reset only");
    if (options->is_given[DRY_RUN] && run == reset && options->is_given[CODE])
        return apw_say_usage("mfa reset: --dry-run and --code exclude each other");
    if (options->is_given[CODE] && run != turn_on && run != reset)
        return apw_say_usage("--code goes with mfa on and mfa reset only");
    if (options->is_given[CSV] && !options->is_given[CODE])
        return apw_say_usage("mfa %s: --csv goes with --code only", verb);
    return APW_STATUS_DONE;
}

static enum apw_status read_start(const struct apw_options *options, struct mfa_request *request)
{
    const char *enforce_from = options->value[ENFORCE_FROM];
    struct apw_error error = {""};

    if (has_start(options) > 1)
        return apw_say_usage("--enforce-from, --announce and --now exclude each other");
    request->start.is_only_if_off = !options->is_given[NOW] && enforce_from == NULL;
    request->has_period = options->is_given[ANNOUNCE];
    if (request->has_period &&
        apw_option_period("--announce", options->value[ANNOUNCE], &request->period_s) != 0)
        return APW_STATUS_USAGE;
    if (enforce_from == NULL)
        return APW_STATUS_DONE;
    if (apw_date_parse_enforce_from(enforce_from, (int64_t)time(NULL), &request->from, &error) != 0)
        return apw_say_usage("--enforce-from: %s", error.text);
    request->start.from = &request->from;
    return APW_STATUS_DONE;
}

static enum apw_status read_request(const struct apw_options *options, struct mfa_request *request)
{
    struct apw_error error = {""};

    *request = (struct mfa_request){
        .is_dry_run = options->is_given[DRY_RUN],
        .with_code = options->is_given[CODE],
        .is_csv = options->is_given[CSV],
        .is_single = options->count == 2 && strcmp(options->operand[1], "-") != 0,
        .filter = options->value[FILTER],
        .users = options->value[USERS],
    };
    if (request->filter != NULL && apw_filter_check(request->filter, false, &error) != 0)
        return apw_say_usage("--filter: %s", error.text);
    return read_start(options, request);
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
    if (request.users != NULL)
        return run_for_list(invocation, verb, &request);
    return run_for_each(invocation, verb, &request, options->count - 1, options->operand + 1);
}

const struct apw_command apw_command_mfa = {
    .name = "mfa",
    .options = table,
    .usage = "on|off|status|reset USER...",
    .help = "turn MFA of these users on or off, show it, or remove the enrolled second factors "
            "(USER \"-\": one on each line of standard input)",
    .run = run,
};
