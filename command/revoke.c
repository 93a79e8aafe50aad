#include "command.h"
#include "manage.h"
#include <stdio.h>

static int read_options(int argc, char **argv, bool *is_all_r)
{
    enum { ALL = APW_OPTION_COMMAND };
    static const struct option longs[] = {
        {"all", no_argument, NULL, ALL},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int found;

    *is_all_r = false;
    apw_option_begin();
    while ((found = apw_option_next(argc, argv, "h", longs)) == ALL)
        *is_all_r = true;
    return found;
}

/* An id that is none may be a whole app password: it is not repeated. */
static enum apw_status check_arguments(int argc, char **argv, bool is_all)
{
    char id[APW_ID_LENGTH + 1];

    if (optind == argc)
        return apw_say_usage("revoke: of which USER?");
    if (is_all && optind + 1 < argc)
        return apw_say_usage("revoke: either ids or --all");
    if (!is_all && optind + 1 == argc)
        return apw_say_usage("revoke: which ID? `app-password list %s` shows them; --all is all "
                             "of them",
                             argv[optind]);
    for (int i = optind + 1; i < argc; i++)
        if (apw_id_canonicalise(argv[i], id) != 0)
            return apw_say_usage("revoke: argument %d is not an id: the four symbols before the "
                                 "first hyphen, like k7q2; nothing was revoked",
                                 i - optind);
    return APW_STATUS_DONE;
}

static enum apw_status revoke_all(const struct apw_manager *manager, const char *login)
{
    struct apw_error error = {""};
    size_t count = 0;
    enum apw_manage_result result =
        apw_manage_revoke_all(manager, &(struct apw_target){.login = login}, &count, &error);

    if (result == APW_MANAGE_DONE)
        printf("%s: %zu revoked\n", login, count);
    else if (result == APW_MANAGE_UNCHANGED)
        printf("%s: unchanged\n", login);
    else
        apw_say(login, "%s", error.text);
    return apw_status_of(result);
}

static enum apw_status revoke(const struct apw_manager *manager, const char *login,
                              const char *typed)
{
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result;

    if (apw_id_canonicalise(typed, id) != 0)
        return APW_STATUS_USAGE;
    result = apw_manage_revoke(manager, &(struct apw_target){.login = login}, id, &error);
    if (result == APW_MANAGE_DONE)
        printf("%s: %s revoked\n", login, id);
    else
        apw_say(login, "%s", error.text);
    return apw_status_of(result);
}

enum apw_status apw_command_revoke(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct apw_tally tally = {.count = 0};
    struct apw_session session;
    enum apw_status status;
    bool is_all;
    int found = read_options(argc, argv, &is_all);

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    status = check_arguments(argc, argv, is_all);
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    if (is_all)
        apw_tally_add(&tally, revoke_all(&session.manager, argv[optind]));
    for (int i = optind + 1; i < argc; i++)
        apw_tally_add(&tally, revoke(&session.manager, argv[optind], argv[i]));
    apw_session_close(&session);
    return apw_tally_status(&tally);
}
