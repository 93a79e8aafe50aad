#include "list.h"
#include "command.h"
#include <stdio.h>

static int read_options(int argc, char **argv, bool *is_json_r)
{
    enum { JSON = APW_OPTION_COMMAND };
    static const struct option longs[] = {
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int found;

    *is_json_r = false;
    apw_option_begin();
    while ((found = apw_option_next(argc, argv, "h", longs)) == JSON)
        *is_json_r = true;
    return found;
}

static enum apw_status print(const char *login, const struct apw_user *user, bool is_json)
{
    int printed = 0;

    if (is_json)
        printed = apw_json_print(user);
    else if (user->password_count > 0)
        printed = apw_table_print(user);
    else
        apw_say(login, "no app passwords, or none that this identity may read");
    if (printed == 0)
        return APW_STATUS_DONE;
    apw_say(login, "out of memory");
    return APW_STATUS_UNAVAILABLE;
}

static enum apw_status list(const struct apw_manager *manager, const char *login, bool is_json)
{
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error);
    enum apw_status status = apw_status_of(result);

    if (result == APW_MANAGE_DONE)
        status = print(login, user, is_json);
    else
        apw_say(login, "%s", error.text);
    apw_user_free(&user);
    return status;
}

enum apw_status apw_command_list(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct apw_session session;
    enum apw_status status;
    bool is_json;
    int found = read_options(argc, argv, &is_json);

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    if (optind == argc)
        return apw_say_usage("list: of which USER?");
    if (optind + 1 < argc)
        return apw_say_usage("list: one USER at a time (\"%s\")", argv[optind + 1]);
    status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    status = list(&session.manager, argv[optind], is_json);
    apw_session_close(&session);
    return status;
}
