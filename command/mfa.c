#include "command.h"
#include "manage.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

struct mfa_request {
    bool has_enforce_from; /* else at once */
    int64_t enforce_from;
};

/* One verb, for one user; says what came of it. */
typedef enum apw_status (*apw_verb)(const struct apw_manager *manager, const char *login,
                                    const struct mfa_request *request);

static enum apw_status report(const char *login, enum apw_manage_result result, const char *done,
                              const struct apw_error *error)
{
    if (result == APW_MANAGE_DONE)
        printf("%s: %s\n", login, done);
    else if (result == APW_MANAGE_UNCHANGED)
        printf("%s: unchanged\n", login);
    else
        apw_say(login, "%s", error->text);
    return apw_status_of(result);
}

static enum apw_status turn_on(const struct apw_manager *manager, const char *login,
                               const struct mfa_request *request)
{
    char done[64] = "on", date[APW_RFC3339_SIZE];
    struct apw_error error = {""};

    enum apw_manage_result result;

    if (request->has_enforce_from) {
        apw_date_format_rfc3339(request->enforce_from, date);
        snprintf(done, sizeof done, "on, enforced from %s", date);
    }
    result = apw_manage_mfa_on(manager, &(struct apw_target){.login = login},
                               request->has_enforce_from ? &request->enforce_from : NULL, &error);
    return report(login, result, done, &error);
}

static enum apw_status turn_off(const struct apw_manager *manager, const char *login,
                                const struct mfa_request *request)
{
    struct apw_error error = {""};

    (void)request;
    return report(login, apw_manage_mfa_off(manager, &(struct apw_target){.login = login}, &error),
                  "off", &error);
}

static enum apw_status reset(const struct apw_manager *manager, const char *login,
                             const struct mfa_request *request)
{
    struct apw_error error = {""};

    (void)request;
    return report(login,
                  apw_manage_mfa_reset(manager, &(struct apw_target){.login = login}, &error),
                  "second factor removed", &error);
}

static enum apw_status print_status(const char *login, const struct apw_user *user,
                                    enum apw_mfa mfa)
{
    char date[APW_RFC3339_SIZE];

    if (mfa == APW_MFA_OFF) {
        printf("%s: off\n", login);
    } else if (!user->has_enforce_from) {
        printf("%s: on\n", login);
    } else if (user->is_enforce_from_readable) {
        apw_date_format_rfc3339(user->enforce_from, date);
        printf("%s: on, enforced from %s\n", login, date);
    } else {
        apw_say(login,
                "on, but appPasswordMfaEnforceFrom of %s is not a time: logins without an app "
                "password are answered \"unavailable\"; mfa on sets it right",
                user->dn);
        return APW_STATUS_FAILED;
    }
    return APW_STATUS_DONE;
}

static enum apw_status show(const struct apw_manager *manager, const char *login,
                            const struct mfa_request *request)
{
    struct apw_error error = {""};
    enum apw_manage_result result;
    enum apw_status status;
    struct apw_user *user;
    enum apw_mfa mfa = APW_MFA_UNREADABLE;

    (void)request;
    result = apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error);
    if (result == APW_MANAGE_DONE)
        result = apw_user_mfa(manager, user, &mfa, &error);
    status = apw_status_of(result);
    if (result == APW_MANAGE_DONE)
        status = print_status(login, user, mfa);
    else
        apw_say(login, "%s", error.text);
    apw_user_free(&user);
    return status;
}

static apw_verb find_verb(const char *name)
{
    static const struct {
        const char *name;
        apw_verb run;
    } verbs[] = {{"on", turn_on}, {"off", turn_off}, {"status", show}, {"reset", reset}};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run;
    return NULL;
}

static enum apw_status run_for_each(const struct apw_invocation *invocation, apw_verb run,
                                    const struct mfa_request *request, int count, char **logins)
{
    struct apw_tally tally = {.count = 0};
    struct apw_error error = {""};
    struct apw_session session;
    enum apw_status status = apw_session_open(invocation, &session);

    if (status != APW_STATUS_DONE)
        return status;
    if ((run == turn_on || run == turn_off) && apw_manage_mfa_check(session.config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        status = APW_STATUS_CONFIGURATION;
    } else {
        for (int i = 0; i < count; i++)
            apw_tally_add(&tally, run(&session.manager, logins[i], request));
        status = apw_tally_status(&tally);
    }
    apw_session_close(&session);
    return status;
}

static int read_options(int argc, char **argv, struct mfa_request *request)
{
    enum { ENFORCE_FROM = APW_OPTION_COMMAND };
    static const struct option longs[] = {
        {"enforce-from", required_argument, NULL, ENFORCE_FROM},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct apw_error error = {""};
    int found;

    apw_option_begin();
    while ((found = apw_option_next(argc, argv, "h", longs)) == ENFORCE_FROM) {
        if (apw_date_parse_enforce_from(optarg, (int64_t)time(NULL), &request->enforce_from,
                                        &error) != 0) {
            apw_say_usage("--enforce-from: %s", error.text);
            return APW_OPTION_BAD;
        }
        request->has_enforce_from = true;
    }
    return found;
}

enum apw_status apw_command_mfa(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct mfa_request request = {.has_enforce_from = false};
    int found = read_options(argc, argv, &request);
    apw_verb run;

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    if (optind == argc)
        return apw_say_usage("mfa on, off, status or reset?");
    run = find_verb(argv[optind]);
    if (run == NULL)
        return apw_say_usage("mfa %s: it must be on, off, status or reset", argv[optind]);
    if (optind + 1 == argc)
        return apw_say_usage("mfa %s: of which USER?", argv[optind]);
    if (request.has_enforce_from && run != turn_on)
        return apw_say_usage("--enforce-from goes with mfa on only");
    return run_for_each(invocation, run, &request, argc - optind - 1, argv + optind + 1);
}
