#include "clock.h"
#include "command.h"
#include "finding.h"
#include "manage.h"
#include "progress.h"
#include "wait.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_DEFAULT_S 300

/* What was asked for on the command line. */
struct request {
    bool is_all;
    bool is_expired;
    bool is_unused;
    int64_t unused_s;
    bool is_dry_run;
    bool is_waiting;
    int64_t wait_s;
};

/* A revocation on its way. */
struct run {
    const struct apw_manager *manager;
    const struct request *request;
    int64_t now;
    struct apw_tally tally;
    struct apw_revocations revocations; /* for --wait */
    bool is_stopped;                    /* the directory is unavailable */
};

static int read_options(int argc, char **argv, struct request *request)
{
    enum { ALL = APW_OPTION_COMMAND, EXPIRED, UNUSED, DRY_RUN, WAIT };
    static const struct option longs[] = {
        {"all", no_argument, NULL, ALL},
        {"expired", no_argument, NULL, EXPIRED},
        {"unused", required_argument, NULL, UNUSED},
        {"dry-run", no_argument, NULL, DRY_RUN},
        {"wait", optional_argument, NULL, WAIT},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    request->wait_s = WAIT_DEFAULT_S;
    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "h", longs);

        switch (found) {
        case ALL:
            request->is_all = true;
            break;
        case EXPIRED:
            request->is_expired = true;
            break;
        case UNUSED:
            request->is_unused = true;
            if (apw_option_period("--unused", optarg, &request->unused_s) != 0)
                return APW_OPTION_BAD;
            break;
        case DRY_RUN:
            request->is_dry_run = true;
            break;
        case WAIT:
            request->is_waiting = true;
            if (optarg != NULL && apw_option_period("--wait", optarg, &request->wait_s) != 0)
                return APW_OPTION_BAD;
            break;
        default:
            return found;
        }
    }
}

static bool is_sweep(const struct request *request)
{
    return request->is_expired || request->is_unused;
}

/* An id that is none may be a whole app password: it is not repeated. */
static enum apw_status check_ids(int argc, char **argv)
{
    char id[APW_ID_LENGTH + 1];

    for (int i = optind + 1; i < argc; i++)
        if (apw_id_canonicalise(argv[i], id) != 0)
            return apw_say_usage("revoke: argument %d is not an id: the four symbols before the "
                                 "first hyphen, like k7q2; nothing was revoked",
                                 i - optind);
    return APW_STATUS_DONE;
}

static enum apw_status check_arguments(int argc, char **argv, const struct request *request)
{
    if (request->is_waiting && request->is_dry_run)
        return apw_say_usage("revoke: --dry-run revokes nothing that --wait could wait for");
    if (is_sweep(request))
        return request->is_all ? apw_say_usage("revoke: --all is all of one USER; it goes without "
                                               "--expired and --unused")
                               : APW_STATUS_DONE;
    if (optind == argc)
        return apw_say_usage("revoke: of which USER?");
    if (request->is_all && optind + 1 < argc)
        return apw_say_usage("revoke: either ids or --all");
    if (!request->is_all && optind + 1 == argc)
        return apw_say_usage("revoke: which ID? `app-password list %s` shows them; --all is all "
                             "of them",
                             argv[optind]);
    return check_ids(argc, argv);
}

/* Counts a result, and notes what --wait has to wait for. */
static void settle(struct run *run, enum apw_manage_result result, const char *dn, const char *id)
{
    apw_tally_add(&run->tally, apw_status_of(result));
    run->is_stopped = result == APW_MANAGE_UNAVAILABLE;
    if (result != APW_MANAGE_DONE || !run->request->is_waiting || dn == NULL ||
        apw_revocations_add(&run->revocations, dn, id) == 0)
        return;
    apw_say(NULL, "out of memory: --wait will not wait for %s", dn);
    apw_tally_add(&run->tally, APW_STATUS_UNAVAILABLE);
}

static const char *would_be(const struct run *run)
{
    return run->request->is_dry_run ? "would be " : "";
}

/* ---- of one user ---- */

static void revoke_all(struct run *run, const char *login, const char *dn)
{
    struct apw_error error = {""};
    size_t count = 0;
    enum apw_manage_result result =
        apw_manage_revoke_all(run->manager, &(struct apw_target){.dn = dn}, &count, &error);

    if (result == APW_MANAGE_DONE)
        printf("%s: %zu %srevoked\n", login, count, would_be(run));
    else if (result == APW_MANAGE_UNCHANGED)
        printf("%s: unchanged\n", login);
    else
        apw_say(login, "%s", error.text);
    settle(run, result, dn, "");
}

static void revoke_id(struct run *run, const char *login, const char *dn, const char *typed)
{
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result;

    if (apw_id_canonicalise(typed, id) != 0)
        return; /* check_ids() has said so */
    result = apw_manage_revoke(run->manager, &(struct apw_target){.dn = dn}, id, &error);
    if (result == APW_MANAGE_DONE)
        printf("%s: %s %srevoked\n", login, id, would_be(run));
    else
        apw_say(login, "%s", error.text);
    settle(run, result, dn, id);
}

static void revoke_of_user(struct run *run, int argc, char **argv)
{
    const char *login = argv[optind];
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(run->manager, &(struct apw_target){.login = login}, &user, &error);

    if (result != APW_MANAGE_DONE) {
        apw_say(login, "%s", error.text);
        settle(run, result, NULL, "");
        return;
    }
    if (run->request->is_all)
        revoke_all(run, login, user->dn);
    for (int i = optind + 1; i < argc; i++)
        revoke_id(run, login, user->dn, argv[i]);
    apw_user_free(&user);
}

/* ---- whatever is expired or unused ---- */

/* Why it goes, or NULL where it stays. */
static const char *why(const struct run *run, const struct apw_user *user,
                       const struct apw_managed_password *password)
{
    const struct request *request = run->request;

    if (!password->is_usable)
        return NULL;
    if (request->is_expired && apw_finding_is_expired(password, run->now))
        return "expired";
    if (request->is_unused && apw_finding_is_unused(user, password, run->now, request->unused_s))
        return "unused";
    return NULL;
}

static void sweep_one(struct run *run, const struct apw_user *user,
                      const struct apw_managed_password *password, const char *reason)
{
    struct apw_error error = {""};
    char label[sizeof password->record.label];
    enum apw_manage_result result =
        apw_manage_revoke(run->manager, &(struct apw_target){.dn = user->dn}, password->id, &error);

    apw_progress_hide();
    strcpy(label, password->record.label);
    if (result == APW_MANAGE_DONE)
        printf("%s: %s %srevoked, %s: %s\n", user->name, password->id, would_be(run), reason,
               apw_say_printable(label));
    else
        apw_say(user->name, "%s: %s", password->id, error.text);
    settle(run, result, user->dn, password->id);
}

static int sweep(void *context, const struct apw_user *user)
{
    struct run *run = context;

    for (size_t i = 0; i < user->password_count && !run->is_stopped; i++) {
        const char *reason = why(run, user, &user->password[i]);

        if (reason != NULL)
            sweep_one(run, user, &user->password[i], reason);
    }
    apw_progress_step();
    return run->is_stopped ? -1 : 0;
}

/* That nothing was used may mean that nobody writes it down. */
static enum apw_status check_uses(const struct run *run)
{
    struct apw_error error = {""};
    bool has_uses;
    enum apw_manage_result result =
        apw_finding_has_uses(run->manager, run->now, run->request->unused_s, &has_uses, &error);

    if (result != APW_MANAGE_DONE) {
        apw_say(NULL, "%s", error.text);
        return apw_status_of(result);
    }
    if (has_uses)
        return APW_STATUS_DONE;
    apw_say(NULL,
            "--unused: last use is not recorded here: no appPasswordUsed below \"%s\" is younger "
            "than that; nothing was revoked (record_use of app-password.conf has it recorded)",
            run->manager->config->base);
    return APW_STATUS_FAILED;
}

static void sweep_user(struct run *run, const char *login)
{
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(run->manager, &(struct apw_target){.login = login}, &user, &error);

    if (result == APW_MANAGE_DONE) {
        sweep(run, user);
    } else {
        apw_say(login, "%s", error.text);
        settle(run, result, NULL, "");
    }
    apw_user_free(&user);
}

static enum apw_status sweep_users(struct run *run, int argc, char **argv)
{
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (run->request->is_unused) {
        enum apw_status status = check_uses(run);

        if (status != APW_STATUS_DONE)
            return status;
    }
    apw_progress_begin(0);
    if (optind == argc) {
        result = apw_user_each(run->manager, "(appPassword=*)", sweep, run, &error);
        if (result != APW_MANAGE_DONE) {
            apw_say(NULL, "%s", error.text);
            settle(run, result, NULL, "");
        }
    }
    for (int i = optind; i < argc && !run->is_stopped; i++)
        sweep_user(run, argv[i]);
    apw_progress_end();
    if (run->is_stopped)
        apw_say(NULL, "stopped: the directory is unavailable, the rest was not tried");
    apw_say(NULL, "%u %srevoked, %u failed", run->tally.count - run->tally.failed, would_be(run),
            run->tally.failed);
    return apw_tally_status(&run->tally);
}

enum apw_status apw_command_revoke(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct request request = {.is_all = false};
    struct run run = {.request = &request, .now = (int64_t)time(NULL)};
    struct apw_session session;
    enum apw_status status, waited;
    int found = read_options(argc, argv, &request);

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    status = check_arguments(argc, argv, &request);
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    session.manager.is_dry_run = request.is_dry_run;
    run.manager = &session.manager;
    if (is_sweep(&request)) {
        status = sweep_users(&run, argc, argv);
    } else {
        revoke_of_user(&run, argc, argv);
        status = apw_tally_status(&run.tally);
    }
    if (run.revocations.count > 0) {
        waited = apw_wait(&session, &run.revocations, request.wait_s);
        status = status == APW_STATUS_DONE ? waited : status;
    }
    apw_revocations_clear(&run.revocations);
    apw_session_close(&session);
    return status;
}
