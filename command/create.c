#include "command.h"
#include "manage.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "all" reads like the list that `app-password list` prints, and means what it says there. */
static const char *unless_all(const char *list)
{
    return strcmp(list, "all") == 0 ? NULL : list;
}

static int read_expires(const char *text, struct apw_password_spec *spec, int64_t *expires)
{
    struct apw_error error = {""};
    bool is_never;

    if (apw_date_parse_expires(text, (int64_t)time(NULL), &is_never, expires, &error) != 0) {
        apw_say_usage("--expires: %s", error.text);
        return -1;
    }
    spec->expires = is_never ? NULL : expires;
    return 0;
}

static int read_options(int argc, char **argv, struct apw_password_spec *spec, int64_t *expires)
{
    enum { LABEL = APW_OPTION_COMMAND, SERVICES, EXPIRES, FROM, WITHOUT_MFA };
    static const struct option longs[] = {
        {"label", required_argument, NULL, LABEL},
        {"services", required_argument, NULL, SERVICES},
        {"expires", required_argument, NULL, EXPIRES},
        {"from", required_argument, NULL, FROM},
        {"without-mfa", no_argument, NULL, WITHOUT_MFA},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "h", longs);

        switch (found) {
        case LABEL:
            spec->label = optarg;
            break;
        case SERVICES:
            spec->services = unless_all(optarg);
            break;
        case EXPIRES:
            if (read_expires(optarg, spec, expires) != 0)
                return APW_OPTION_BAD;
            break;
        case FROM:
            spec->from = unless_all(optarg);
            break;
        case WITHOUT_MFA:
            spec->without_mfa = true;
            break;
        default:
            return found;
        }
    }
}

/* What a bad request is told before a password is asked for or the directory is. */
static enum apw_status check_spec(int argc, char **argv, const struct apw_password_spec *spec)
{
    struct apw_error error = {""};
    struct apw_record record;

    if (optind == argc)
        return apw_say_usage("create: for which USER?");
    if (optind + 1 < argc)
        return apw_say_usage("create: one USER at a time (\"%s\"); a label of several words goes "
                             "in quotes",
                             argv[optind + 1]);
    if (spec->label == NULL)
        return apw_say_usage("create: --label TEXT is missing: what will use it, like "
                             "\"Outlook on the laptop\"");
    if (apw_password_spec_to_record(spec, (int64_t)time(NULL), &record, &error) != 0)
        return apw_say_usage("create: %s", error.text);
    return APW_STATUS_DONE;
}

static enum apw_status complain(const char *login, enum apw_manage_result result,
                                const struct apw_error *error)
{
    apw_say(login, "%s%s", error->text,
            result == APW_MANAGE_MFA_IS_OFF
                ? " (app-password mfa on), or give --without-mfa to make one nevertheless"
                : "");
    return apw_status_of(result);
}

/* Tells about the new app password, but for its secret. */
static void describe(const char *login, const struct apw_user *user,
                     const struct apw_managed_password *password)
{
    const struct apw_record *record = &password->record;
    char expires[APW_RFC3339_SIZE] = "never", label[sizeof record->label];

    if (record->has_expires)
        apw_date_format_rfc3339(record->expires, expires);
    strcpy(label, record->label);
    apw_say(login, "new app password %s for %s", record->id, user->dn);
    fprintf(stderr, "  label     %s\n", apw_say_printable(label));
    fprintf(stderr, "  services  %s\n", record->services[0] == '\0' ? "all" : record->services);
    fprintf(stderr, "  from      %s\n", record->from_text[0] == '\0' ? "all" : record->from_text);
    fprintf(stderr, "  expires   %s\n", expires);
    fprintf(stderr, "It is shown only this once.\n");
    if (user->is_disabled)
        apw_say(login, "the account is disabled: no login is accepted until that ends");
}

/* Reads back what was stored, so that what is told is what is there. */
static void describe_stored(const struct apw_manager *manager, const char *login, const char *id)
{
    struct apw_error error = {""};
    struct apw_user *user;

    if (apw_user_find(manager, &(struct apw_target){.login = login}, &user, &error) !=
        APW_MANAGE_DONE) {
        apw_say(login, "new app password %s", id);
        return;
    }
    for (size_t i = 0; i < user->password_count; i++)
        if (user->password[i].has_record && strcmp(user->password[i].id, id) == 0)
            describe(login, user, &user->password[i]);
    apw_user_free(&user);
}

/* Some file systems tell only at the end that there was no room. */
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

/* Without stdio, whose buffer nobody would wipe. -1 with errno set. */
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

static enum apw_status create(const struct apw_manager *manager, const char *login,
                              const struct apw_password_spec *spec)
{
    struct apw_error error = {""};
    struct apw_password password;
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result = apw_manage_create(manager, &(struct apw_target){.login = login},
                                                      spec, &password, &error);
    enum apw_status status = APW_STATUS_DONE;

    if (result != APW_MANAGE_DONE)
        return complain(login, result, &error);
    apw_password_id(&password, id);
    /* At once: whoever is interrupted between storing and printing leaves a valid app password
     * that nobody has seen. */
    if (print_password(&password) != 0)
        status = take_back(manager, login, id);
    else
        describe_stored(manager, login, id);
    sodium_memzero(&password, sizeof password);
    return status;
}

enum apw_status apw_command_create(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct apw_password_spec spec = {.label = NULL};
    struct apw_session session;
    enum apw_status status;
    int64_t expires;
    int found = read_options(argc, argv, &spec, &expires);

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    status = check_spec(argc, argv, &spec);
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    status = create(&session.manager, argv[optind], &spec);
    apw_session_close(&session);
    return status;
}
