/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "date.h"
#include "manage.h"
#include "mfa_rule.h"
#include "say.h"
#include "session.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LABEL, SERVICES, EXPIRES, FROM, WITHOUT_MFA, FORCE };

static const struct apw_option table[] = {
    [LABEL] = {.name = "label",
               .argument = "TEXT",
               .help = "the device or program that will use it"},
    [SERVICES] = {.name = "services",
                  .argument = "NAME,...",
                  .words = "smtp imap pop3 sieve",
                  .help = "for these services only: smtp, imap, pop3, sieve"},
    [EXPIRES] = {.name = "expires",
                 .argument = "WHEN",
                 .help = "90d, 2027-01-31 (that whole day, UTC), never"},
    [FROM] = {.name = "from",
              .argument = "NETWORK,...",
              .help = "from these addresses only: 192.0.2.0/24"},
    [WITHOUT_MFA] = {.name = "without-mfa", .help = "even if MFA is off for this user"},
    [FORCE] = {.name = "force", .help = "even if the account has ended"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

/* `app-password list` prints "all" if there is no restriction, so it is accepted here too. */
static const char *unless_all(const char *list)
{
    return list == NULL || strcmp(list, "all") == 0 ? NULL : list;
}

/* `expires_r` is borrowed by the spec. */
static enum apw_status read_spec(const struct apw_options *options,
                                 struct apw_password_spec *spec_r, int64_t *expires_r)
{
    const char *expires = options->value[EXPIRES];
    struct apw_error error = {""};
    bool is_never = true;

    if (expires != NULL &&
        apw_date_parse_expires(expires, (int64_t)time(NULL), &is_never, expires_r, &error) != 0)
        return apw_say_usage("--expires: %s", error.text);
    *spec_r = (struct apw_password_spec){
        .label = options->value[LABEL],
        .services = unless_all(options->value[SERVICES]),
        .from = unless_all(options->value[FROM]),
        .expires = is_never ? NULL : expires_r,
        .without_mfa = options->is_given[WITHOUT_MFA],
        .is_forced = options->is_given[FORCE],
    };
    return APW_STATUS_DONE;
}

/* Rejects a bad request before prompting or connecting. */
static enum apw_status check_spec(const struct apw_options *options,
                                  const struct apw_password_spec *spec, struct apw_record *record_r)
{
    struct apw_error error = {""};

    if (options->count == 0)
        return apw_say_usage("create: USER is missing");
    if (options->count > 1)
        return apw_say_usage("create: one USER at a time, not also \"%s\"; put a label of several "
                             "words in quotes",
                             options->operand[1]);
    if (spec->label == NULL)
        return apw_say_usage("create: --label TEXT is missing: the device or program that will "
                             "use it, like \"Outlook on the laptop\"");
    if (apw_password_spec_to_record(spec, (int64_t)time(NULL), record_r, &error) !=
        APW_PASSWORD_SPEC_GOOD)
        return apw_say_usage("create: %s", error.text);
    return APW_STATUS_DONE;
}

static enum apw_status complain(const struct apw_config *config, const char *login,
                                enum apw_manage_result result, const struct apw_error *error)
{
    bool is_flag = strcmp(config->mfa_filter, APW_MFA_RULE_DEFAULT) == 0;

    apw_say(login, "%s%s%s", error->text,
            result == APW_MANAGE_MFA_IS_OFF && is_flag ? " (app-password mfa on)" : "",
            result == APW_MANAGE_MFA_IS_OFF ? ", or give --without-mfa to create one anyway"
            : result == APW_MANAGE_ENDED    ? "; give --force to create an app password anyway"
                                            : "");
    return apw_status_of(result);
}

/* Prints everything but the secret. */
static void describe(const char *login, const struct apw_user *user, const char *id,
                     const struct apw_record *record)
{
    char expires[APW_DATE_RFC3339_SIZE] = "never", label[sizeof record->label];

    if (record->has_expires)
        apw_date_format_rfc3339(record->expires, expires);
    strcpy(label, record->label);
    apw_say(login, "new app password %s for %s", id, user->dn);
    fprintf(stderr, "  label     %s\n", apw_say_printable(label));
    fprintf(stderr, "  services  %s\n", record->services[0] == '\0' ? "all" : record->services);
    fprintf(stderr, "  from      %s\n", record->from_text[0] == '\0' ? "all" : record->from_text);
    fprintf(stderr, "  expires   %s\n", expires);
    fprintf(stderr, "It is shown only this once.\n");
    if (user->account_state != APW_ACCOUNT_STATE_ACTIVE)
        apw_say(login, "the account is disabled: logins are refused until it is enabled");
}

/* Some file systems report only at close() that the disk is full. */
static int write_all(int file, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return close(file);
}

/* Without stdio, whose buffer would not be wiped. -1 with errno set. */
static int print_password(const struct apw_password *password)
{
    char line[APW_PASSWORD_SHOWN_SIZE + 1];
    int status, reason;

    apw_password_show(password, line);
    strcat(line, "\n");
    status = write_all(STDOUT_FILENO, line, strlen(line));
    reason = errno;
    sodium_memzero(line, sizeof line);
    errno = reason;
    return status;
}

static enum apw_status take_back(const struct apw_manager *manager, const char *login,
                                 const char *id)
{
    struct apw_error error = {""};
    int reason = errno;

    if (apw_manage_revoke(manager, &(struct apw_target){.login = login}, id, &error) ==
        APW_MANAGE_DONE)
        apw_say(login, "standard output: %s; nobody has seen app password %s, so it was revoked",
                strerror(reason), id);
    else
        apw_say(login,
                "standard output: %s; nobody has seen app password %s, but it could not be "
                "revoked: %s",
                strerror(reason), id, error.text);
    return APW_STATUS_FAILED;
}

/* Immediately: an interruption between storing and printing would leave a valid app password that
 * nobody has seen. */
static enum apw_status hand_over(const struct apw_manager *manager, const char *login,
                                 const struct apw_user *user, const struct apw_password *password,
                                 const struct apw_record *record)
{
    char id[APW_ID_LENGTH + 1];

    apw_password_id(password, id);
    if (print_password(password) != 0)
        return take_back(manager, login, id);
    describe(login, user, id, record);
    return APW_STATUS_DONE;
}

static enum apw_status create(const struct apw_manager *manager, const char *login,
                              const struct apw_password_spec *spec, const struct apw_record *record)
{
    struct apw_error error = {""};
    struct apw_password password;
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error);
    enum apw_status status;

    if (result == APW_MANAGE_DONE)
        result = apw_manage_create(manager, &(struct apw_target){.login = login, .user = user},
                                   spec, &password, &error);
    if (result == APW_MANAGE_DONE) {
        status = hand_over(manager, login, user, &password, record);
        sodium_memzero(&password, sizeof password);
    } else {
        status = complain(manager->config, login, result, &error);
    }
    apw_user_free(&user);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct apw_password_spec spec;
    struct apw_record record;
    struct apw_session session;
    int64_t expires;
    enum apw_status status = read_spec(options, &spec, &expires);

    if (status == APW_STATUS_DONE)
        status = check_spec(options, &spec, &record);
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    status = create(&session.manager, options->operand[0], &spec, &record);
    apw_session_close(&session);
    return status;
}

const struct apw_command apw_command_create = {
    .name = "create",
    .options = table,
    .usage = "USER --label TEXT",
    .help = "create an app password and print it, once",
    .run = run,
};
