/* SPDX-License-Identifier: BSD-2-Clause */
#include "creation.h"
#include "manage.h"
#include "mfa_rule.h"
#include "say.h"
#include "trail.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum apw_status apw_creation_complain(const struct apw_config *config, const char *about,
                                      enum apw_manage_result result, const struct apw_error *error)
{
    bool is_flag = strcmp(config->mfa_filter, APW_MFA_RULE_DEFAULT) == 0;

    apw_say(about, "%s%s%s", error->text,
            result == APW_MANAGE_MFA_IS_OFF && is_flag ? " (app-password mfa on)" : "",
            result == APW_MANAGE_MFA_IS_OFF ? ", or give --without-mfa to create one anyway"
            : result == APW_MANAGE_ENDED    ? "; give --force to create an app password anyway"
                                            : "");
    return apw_status_of(result);
}

enum apw_status apw_creation_take_back(const struct apw_manager *manager, const char *login,
                                       const char *id)
{
    struct apw_error error = {""};
    int reason = errno;
    enum apw_manage_result result =
        apw_manage_revoke(manager, &(struct apw_target){.login = login}, id, &error);

    apw_trail_add(
        &(struct apw_audit){
            .action = APW_AUDIT_REVOKE, .user = login, .id = id, .error = error.text},
        result);
    if (result == APW_MANAGE_DONE)
        apw_say(login, "standard output: %s; nobody has seen app password %s, so it was revoked",
                strerror(reason), id);
    else
        apw_say(login,
                "standard output: %s; nobody has seen app password %s, but it could not be "
                "revoked: %s",
                strerror(reason), id, error.text);
    return APW_STATUS_FAILED;
}

void apw_creation_hold_signals(sigset_t *before_r)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, before_r);
}

void apw_creation_release_signals(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}
