#include "batch.h"
#include "command.h"
#include "manage.h"
#include "method.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct mfa_request {
    bool has_enforce_from; /* else at once */
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
        printf("%s: %s%s\n", name, manager->is_dry_run ? "would be " : "", done);
    else if (result == APW_MANAGE_UNCHANGED)
        printf("%s: unchanged\n", name);
    else
        apw_say(name, "%s", error->text);
    return result;
}

/* Prints a new code for the enrolment. */
static enum apw_manage_result make_code(const struct apw_manager *manager,
                                        const struct apw_target *target, const char *name,
                                        bool reset)
{
    char shown[APW_PASSWORD_SHOWN_SIZE];
    struct apw_error error = {""};
    struct apw_password code;
    enum apw_manage_result result = apw_manage_mfa_code(manager, target, reset, &code, &error);

    if (result == APW_MANAGE_DONE) {
        apw_password_show(&code, shown);
        printf("%s: %scode to enrol with, once, within %d days: %s\n", name,
               reset ? "second factor removed; " : "", APW_ENROLMENT_CODE_SECONDS / 86400, shown);
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
    char done[64] = "on", date[APW_RFC3339_SIZE];
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
    return report(manager, name, apw_manage_mfa_reset(manager, target, &error),
                  "second factor removed", &error);
}

static enum apw_manage_result print_status(const char *name, const struct apw_user *user,
                                           enum apw_mfa mfa)
{
    char date[APW_RFC3339_SIZE];

    if (mfa == APW_MFA_OFF) {
        printf("%s: off\n", name);
    } else if (!user->has_enforce_from) {
        printf("%s: on\n", name);
    } else if (user->is_enforce_from_readable) {
        apw_date_format_rfc3339(user->enforce_from, date);
        printf("%s: on, enforced from %s\n", name, date);
    } else {
        apw_say(name,
                "on, but appPasswordMfaEnforceFrom of %s is not a time: logins without an app "
                "password are answered \"unavailable\"; mfa on sets it right",
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

static int read_enforce_from(const char *text, struct mfa_request *request)
{
    struct apw_error error = {""};

    request->has_enforce_from = true;
    if (apw_date_parse_enforce_from(text, (int64_t)time(NULL), &request->enforce_from, &error) == 0)
        return 0;
    apw_say_usage("--enforce-from: %s", error.text);
    return -1;
}

static int read_filter(const char *text, struct mfa_request *request)
{
    struct apw_error error = {""};

    request->filter = text;
    if (apw_filter_check(text, false, &error) == 0)
        return 0;
    apw_say_usage("--filter: %s", error.text);
    return -1;
}

static int read_options(int argc, char **argv, struct mfa_request *request)
{
    enum { ENFORCE_FROM = APW_OPTION_COMMAND, DRY_RUN, FILTER, CODE };
    static const struct option longs[] = {
        {"enforce-from", required_argument, NULL, ENFORCE_FROM},
        {"dry-run", no_argument, NULL, DRY_RUN},
        {"filter", required_argument, NULL, FILTER},
        {"code", no_argument, NULL, CODE},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "h", longs);

        switch (found) {
        case ENFORCE_FROM:
            if (read_enforce_from(optarg, request) != 0)
                return APW_OPTION_BAD;
            break;
        case DRY_RUN:
            request->is_dry_run = true;
            break;
        case CODE:
            request->with_code = true;
            break;
        case FILTER:
            if (read_filter(optarg, request) != 0)
                return APW_OPTION_BAD;
            break;
        default:
            return found;
        }
    }
}

static enum apw_status check_arguments(int argc, char **argv, const struct mfa_request *request,
                                       apw_batch_run run)
{
    bool is_named = optind + 1 < argc;

    if (!is_named && request->filter == NULL)
        return apw_say_usage("mfa %s: of which USER?", argv[optind]);
    if (is_named && request->filter != NULL)
        return apw_say_usage("mfa %s: either USERs or --filter", argv[optind]);
    if (request->has_enforce_from && run != turn_on)
        return apw_say_usage("--enforce-from goes with mfa on only");
    if (request->is_dry_run && run != turn_on && run != turn_off)
        return apw_say_usage("--dry-run goes with mfa on and mfa off only");
    if (request->with_code && run != turn_on && run != reset)
        return apw_say_usage("--code goes with mfa on and mfa reset only");
    return APW_STATUS_DONE;
}

enum apw_status apw_command_mfa(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct mfa_request request = {.has_enforce_from = false};
    int found = read_options(argc, argv, &request);
    enum apw_status status;
    apw_batch_run run;

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    if (optind == argc)
        return apw_say_usage("mfa on, off, status or reset?");
    run = find_verb(argv[optind]);
    if (run == NULL)
        return apw_say_usage("mfa %s: it must be on, off, status or reset", argv[optind]);
    status = check_arguments(argc, argv, &request, run);
    if (status != APW_STATUS_DONE)
        return status;
    return run_for_each(invocation, run, &request, argc - optind - 1, argv + optind + 1);
}
