/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "date.h"
#include "invitation.h"
#include "invite_mail.h"
#include "manage.h"
#include "output.h"
#include "password_options.h"
#include "say.h"
#include "session.h"
#include "settings.h"
#include "terminal_qr.h"
#include "trail.h"
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALID_DEFAULT_S (24 * 3600)
#define VALID_MAX_S     (30 * 86400)

enum { VALID = APW_PASSWORD_OPTION_COUNT, PAGE, MAIL, LANGUAGE };

static const struct apw_option table[] = {
    APW_PASSWORD_OPTIONS,
    [VALID] = {.name = "valid",
               .argument = "PERIOD",
               .help = "how long the link works: 24h, at most 30d"},
    [PAGE] = {.name = "page",
              .argument = "URL",
              .help = "the address of the self-service page, unless this host has portal.conf"},
    [MAIL] = {.name = "mail",
              .help = "mail the link to the user's alternate address instead of printing it; as "
                      "root on the page's host"},
    [LANGUAGE] = {.name = "language",
                  .argument = "CODE",
                  .help = "(--mail) the language of the mail, like nb; English by default"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

static enum apw_status read_valid(const struct apw_options *options, int64_t *valid_s_r)
{
    *valid_s_r = VALID_DEFAULT_S;
    if (options->value[VALID] == NULL)
        return APW_STATUS_DONE;
    if (apw_option_period("--valid", options->value[VALID], valid_s_r) != 0)
        return APW_STATUS_USAGE;
    if (*valid_s_r < 1 || *valid_s_r > VALID_MAX_S)
        return apw_say_usage("--valid: from 1s to 30d");
    return APW_STATUS_DONE;
}

/* The address of the page without a slash at its end; NULL with a message. The caller frees it. */
static char *find_page(const struct apw_invocation *invocation, const struct apw_options *options)
{
    char path[PATH_MAX], *page = NULL;
    struct apw_error error = {""};

    if (options->value[PAGE] != NULL)
        page = strdup(options->value[PAGE]);
    else if (apw_settings_sibling(invocation->config_path, "portal.conf", path, sizeof path,
                                  &error) == 0)
        page = apw_settings_find(path, "public_url");
    if (page == NULL || (strncmp(page, "https://", 8) != 0 && strncmp(page, "http://", 7) != 0)) {
        apw_say_usage("invite: %s; give --page URL, the address of the self-service page, like "
                      "https://mail.example.net/app-passwords",
                      page == NULL ? "no public_url in a portal.conf that can be read here"
                                   : "the address of the page does not begin with https://");
        free(page);
        return NULL;
    }
    while (page[strlen(page) - 1] == '/')
        page[strlen(page) - 1] = '\0';
    return page;
}

static void describe(const char *login, const struct apw_user *user,
                     const struct apw_invitation *invitation)
{
    char until[APW_DATE_RFC3339_SIZE];

    apw_date_format_rfc3339(invitation->until, until);
    apw_say(login, "invitation %s for %s", invitation->record.id, user->dn);
    apw_password_options_describe(&invitation->record);
    fprintf(stderr, "  works     once, until %s\n", until);
    fprintf(stderr,
            "Anyone who opens the link gets an app password for this user's mail. Give it to "
            "nobody else; app-password revoke %s %s withdraws it.\n",
            login, invitation->record.id);
}

/* A request, as read from the options. Borrowed. */
struct request {
    struct apw_invite_mail mail; /* to whom, in any case */
    bool is_mailed;              /* --mail; otherwise the link is printed */
    const char *page;            /* for a link that is printed */
    struct apw_manage_invitation wish;
};

/* Leaves nothing half done. */
static void withdraw(const struct apw_manager *manager, const char *login, const char *id,
                     const char *reason)
{
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_manage_revoke(manager, &(struct apw_target){.login = login}, id, &error);

    apw_trail_add(
        &(struct apw_audit){
            .action = APW_AUDIT_REVOKE, .user = login, .id = id, .error = error.text},
        result);
    if (result == APW_MANAGE_DONE)
        apw_say(login, "%s; so invitation %s was withdrawn, and its link opens nothing", reason,
                id);
    else
        apw_say(login, "%s; invitation %s could not be withdrawn, and its link still works: %s",
                reason, id, error.text);
}

/* Prints the link alone on standard output. */
static enum apw_status print(const struct apw_manager *manager, const struct request *request,
                             const struct apw_user *user, const struct apw_invitation *invitation,
                             const char *token)
{
    const char *login = request->mail.login;
    char *link = apw_invitation_write_link(request->page, login, token);
    struct apw_error reason = {"out of memory"};
    bool is_printed = link != NULL && apw_output_secret(link) == 0;

    if (link != NULL && !is_printed)
        apw_error_set(&reason, "standard output: %s", strerror(errno));
    if (is_printed) {
        describe(login, user, invitation);
        if (isatty(STDERR_FILENO) == 1)
            apw_terminal_qr_print(link);
    } else {
        withdraw(manager, login, invitation->record.id, reason.text);
    }
    if (link != NULL)
        sodium_memzero(link, strlen(link));
    free(link);
    return is_printed ? APW_STATUS_DONE : APW_STATUS_FAILED;
}

static enum apw_status send_mail(const struct apw_manager *manager, const struct request *request,
                                 const struct apw_user *user,
                                 const struct apw_invitation *invitation, const char *token)
{
    const char *login = request->mail.login;
    char *answer = NULL;
    enum apw_status status = apw_invite_mail_send(&request->mail, token, &answer);

    if (status == APW_STATUS_DONE) {
        describe(login, user, invitation);
        fprintf(stderr, "Mailed to %s.\n", answer);
    } else {
        withdraw(manager, login, invitation->record.id,
                 answer != NULL && *answer != '\0' ? answer : "the mail could not be sent");
    }
    free(answer);
    return status;
}

/* Says why no invitation was made. */
static enum apw_status fail(const char *login, enum apw_manage_result result,
                            const struct apw_error *error)
{
    apw_say(login, "%s", error->text);
    apw_trail_add(
        &(struct apw_audit){.action = APW_AUDIT_INVITE, .user = login, .error = error->text},
        result);
    return apw_status_of(result);
}

/* Before anything is made, whether it can be mailed: a user who may not be invited is told that
 * first. */
static enum apw_status check_mail(const struct apw_manager *manager, const struct request *request,
                                  const struct apw_target *target)
{
    struct apw_manager trying = *manager;
    struct apw_invitation invitation;
    struct apw_error error = {""};
    char token[APW_TOKEN_SIZE];
    enum apw_manage_result result;

    trying.is_dry_run = true;
    result = apw_manage_invite(&trying, target, &request->wish, &invitation, token, &error);
    sodium_memzero(token, sizeof token);
    return result == APW_MANAGE_DONE ? apw_invite_mail_check(&request->mail)
                                     : fail(target->login, result, &error);
}

static enum apw_status make(const struct apw_manager *manager, const struct request *request,
                            const struct apw_target *target)
{
    struct apw_invitation invitation;
    struct apw_error error = {""};
    char token[APW_TOKEN_SIZE];
    enum apw_manage_result result =
        apw_manage_invite(manager, target, &request->wish, &invitation, token, &error);
    enum apw_status status;

    if (result != APW_MANAGE_DONE)
        return fail(target->login, result, &error);
    apw_trail_add(&(struct apw_audit){.action = APW_AUDIT_INVITE,
                                      .user = target->login,
                                      .id = invitation.record.id},
                  result);
    status = request->is_mailed ? send_mail(manager, request, target->user, &invitation, token)
                                : print(manager, request, target->user, &invitation, token);
    sodium_memzero(token, sizeof token);
    return status;
}

static enum apw_status invite(const struct apw_manager *manager, const struct request *request)
{
    struct apw_target target = {.login = request->mail.login};
    enum apw_status status = APW_STATUS_DONE;
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result = apw_user_find(manager, &target, &user, &error);

    if (result != APW_MANAGE_DONE)
        return fail(target.login, result, &error);
    target.user = user;
    if (request->is_mailed)
        status = check_mail(manager, request, &target);
    if (status == APW_STATUS_DONE)
        status = make(manager, request, &target);
    apw_user_free(&user);
    return status;
}

static enum apw_status read_mail(const struct apw_invocation *invocation,
                                 const struct apw_options *options, struct request *request)
{
    request->mail = (struct apw_invite_mail){.config_path = invocation->config_path,
                                             .login = options->operand[0],
                                             .language = options->value[LANGUAGE]};
    request->is_mailed = options->is_given[MAIL];
    if (request->is_mailed && options->is_given[PAGE])
        return apw_say_usage("invite: --mail and --page exclude each other: the mail has "
                             "public_url of portal.conf");
    return request->is_mailed || !options->is_given[LANGUAGE]
               ? APW_STATUS_DONE
               : apw_say_usage("invite: --language goes with --mail only");
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct apw_password_spec spec;
    struct request request = {.wish = {.spec = &spec}};
    struct apw_record record;
    struct apw_session session;
    int64_t expires;
    char *page = NULL;
    enum apw_status status = apw_password_options_read("invite", options, &spec, &expires, &record);

    if (status == APW_STATUS_DONE)
        status = read_valid(options, &request.wish.valid_s);
    if (status == APW_STATUS_DONE)
        status = read_mail(invocation, options, &request);
    if (status == APW_STATUS_DONE && !request.is_mailed &&
        (request.page = page = find_page(invocation, options)) == NULL)
        status = APW_STATUS_USAGE;
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status == APW_STATUS_DONE) {
        session.manager.with_enrolment = true;
        apw_password_options_limit(session.config, &spec, &record);
        status = invite(&session.manager, &request);
        apw_session_close(&session);
    }
    free(page);
    return status;
}

const struct apw_command apw_command_invite = {
    .name = "invite",
    .options = table,
    .usage = "USER --label TEXT",
    .help = "print or mail a link that gives the user an app password, once",
    .run = run,
};
