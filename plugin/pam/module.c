/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module: pam_app_password.so, for programs that use PAM: Dovecot, saslauthd and others.
 *
 * It answers PAM_SUCCESS, PAM_AUTH_ERR or PAM_AUTHINFO_UNAVAIL. Never returns PAM_IGNORE; falling
 * through is the stack's decision.
 */
#include "argument.h"
#include "front.h"
#include "kept.h"
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv);
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv);
EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv);

/* The handle's data under this key is the accepted name. */
static const char accepted_key[] = "pam_app_password accepted";

static int read_arguments(pam_handle_t *pamh, int argc, const char **argv,
                          struct apw_pam_arguments *arguments_r)
{
    struct apw_error error;

    if (apw_pam_arguments_parse(argc, argv, arguments_r, &error) == 0)
        return 0;
    pam_syslog(pamh, LOG_ERR, "%s", error.text);
    return -1;
}

/* An item that the application set, or NULL. Borrowed from the handle. */
static const char *item(const pam_handle_t *pamh, int type)
{
    const void *value = NULL;

    return pam_get_item(pamh, type, &value) == PAM_SUCCESS ? value : NULL;
}

static void forget(pam_handle_t *pamh, void *name, int status)
{
    (void)pamh;
    (void)status;
    free(name);
}

/* Sets the accepted name in the handle. */
static int set_name(pam_handle_t *pamh, const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return PAM_AUTHINFO_UNAVAIL;
    if (pam_set_data(pamh, accepted_key, copy, forget) != PAM_SUCCESS) {
        free(copy);
        return PAM_AUTHINFO_UNAVAIL;
    }
    if (pam_set_item(pamh, PAM_USER, name) != PAM_SUCCESS) {
        pam_set_data(pamh, accepted_key, NULL, NULL);
        return PAM_AUTHINFO_UNAVAIL;
    }
    return PAM_SUCCESS;
}

/* Whether this handle's user is the accepted one. */
static bool is_accepted(const pam_handle_t *pamh)
{
    const char *user = item(pamh, PAM_USER);
    const void *accepted = NULL;

    return pam_get_data(pamh, accepted_key, &accepted) == PAM_SUCCESS && accepted != NULL &&
           user != NULL && strcmp(user, accepted) == 0;
}

static int act_on(pam_handle_t *pamh, const struct apw_front *front,
                  const struct apw_decision *decision)
{
    switch (decision->event.verdict) {
    case APW_ACCEPTED:
        return set_name(pamh, decision->event.name);
    case APW_REFUSED:
        pam_fail_delay(pamh, (unsigned)apw_front_refusal_delay_ms(front) * 1000);
        return PAM_AUTH_ERR;
    case APW_UNAVAILABLE:
        break;
    }
    return PAM_AUTHINFO_UNAVAIL;
}

/* Asks the application for login and password unless it has already given them. */
static int complete(pam_handle_t *pamh, const struct apw_pam_arguments *arguments,
                    struct apw_attempt *attempt_r)
{
    *attempt_r = (struct apw_attempt){.service = arguments->service};
    if (pam_get_user(pamh, &attempt_r->login, NULL) != PAM_SUCCESS || attempt_r->login == NULL ||
        pam_get_authtok(pamh, PAM_AUTHTOK, &attempt_r->password, NULL) != PAM_SUCCESS ||
        attempt_r->password == NULL) {
        pam_syslog(pamh, LOG_ERR, "the application provided no login or no password");
        return -1;
    }
    attempt_r->login_length = strlen(attempt_r->login);
    attempt_r->password_length = strlen(attempt_r->password);
    if (attempt_r->service == NULL)
        attempt_r->service = item(pamh, PAM_SERVICE);
    attempt_r->client = item(pamh, PAM_RHOST);
    return 0;
}

static int authenticate(pam_handle_t *pamh, const struct apw_pam_arguments *arguments)
{
    struct apw_attempt attempt;
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;
    int status;

    if (complete(pamh, arguments, &attempt) != 0)
        return PAM_AUTHINFO_UNAVAIL;
    front = apw_kept_take(arguments->config, &error);
    if (front == NULL) {
        pam_syslog(pamh, LOG_ERR, "%s", error.text);
        return PAM_AUTHINFO_UNAVAIL;
    }
    apw_front_verify_typed(front, &attempt, false, &decision);
    status = act_on(pamh, front, &decision);
    apw_verify_clear(&decision);
    apw_kept_give_back(&front);
    return status;
}

/* To Dovecot, every PAM failure is a wrong password. It tells the client to try later only if its
 * worker exits. */
static bool is_dovecot(const pam_handle_t *pamh)
{
    const char *tty = item(pamh, PAM_TTY);

    return tty != NULL && strcmp(tty, "dovecot") == 0;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    int status = PAM_AUTHINFO_UNAVAIL;
    struct apw_pam_arguments arguments;

    (void)flags;
    pam_set_data(pamh, accepted_key, NULL, NULL);
    if (read_arguments(pamh, argc, argv, &arguments) == 0)
        status = authenticate(pamh, &arguments);
    if (status == PAM_AUTHINFO_UNAVAIL && arguments.exits_on_tempfail && is_dovecot(pamh))
        _exit(EXIT_SUCCESS); /* after failures, Dovecot starts no workers for up to a minute */
    return status;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct apw_pam_arguments arguments;

    (void)flags;
    if (read_arguments(pamh, argc, argv, &arguments) != 0 || !is_accepted(pamh))
        return PAM_CRED_ERR;
    return PAM_SUCCESS;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct apw_pam_arguments arguments;

    (void)flags;
    if (read_arguments(pamh, argc, argv, &arguments) != 0 || !is_accepted(pamh))
        return PAM_PERM_DENIED;
    return PAM_SUCCESS;
}
