/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"
#include "command.h"
#include "finding.h"
#include "manage.h"
#include "orphans.h"
#include "output.h"
#include "progress.h"
#include "revocation.h"
#include "rights.h"
#include "say.h"
#include "session.h"
#include "tally.h"
#include "trail.h"
#include "unused.h"
#include "wait.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_DEFAULT_S 300

enum { ALL, EXPIRED, UNUSED, PASSWORD_CHANGED, ORPHANS, DRY_RUN, WAIT };

static const struct apw_option table[] = {
    [ALL] = {.name = "all", .help = "all of them"},
    [EXPIRED] = {.name = "expired",
                 .help = "those that have expired, of every user or of these USERs"},
    [UNUSED] = {.name = "unused",
                .argument = "PERIOD",
                .help = "those that were not used within this period: 180d"},
    [PASSWORD_CHANGED] = {.name = "password-changed",
                          .help = "those made before the account password was changed"},
    [ORPHANS] = {.name = "orphans",
                 .help = "instead: entries of a store whose users have been gone for 30 days"},
    [DRY_RUN] = {.name = "dry-run", .help = "only show which"},
    [WAIT] = {.name = "wait",
              .argument = "PERIOD",
              .is_argument_optional = true,
              .help = "wait until every server has deleted them; 5m"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

/* The command line. */
struct request {
    bool is_all;
    bool is_expired;
    bool is_unused;
    int64_t unused_s;
    bool is_password_changed;
    bool is_orphans;
    bool is_dry_run;
    bool is_waiting;
    int64_t wait_s;
};

struct run {
    const struct apw_manager *manager;
    const struct request *request;
    int64_t now;
    struct apw_tally tally;
    struct apw_revocations revocations; /* for --wait */
    bool has_revoked;
    bool has_seen;   /* a user with app passwords */
    bool is_stopped; /* the directory is unavailable */
};

static bool is_sweep(const struct request *request)
{
    return request->is_expired || request->is_unused || request->is_password_changed;
}

/* Notes a revocation for --wait. */
static void note(struct run *run, const char *dn, const char *id)
{
    if (!run->request->is_waiting || apw_revocations_add(&run->revocations, dn, id) == 0)
        return;
    apw_say(NULL, "out of memory: --wait will not wait for %s", dn);
    apw_tally_add(&run->tally, APW_STATUS_UNAVAILABLE);
}

/* Counts a result, and notes it for --wait. */
static void settle(struct run *run, enum apw_manage_result result, const char *dn, const char *id)
{
    apw_tally_add(&run->tally, apw_status_of(result));
    run->is_stopped = result == APW_MANAGE_UNAVAILABLE;
    run->has_revoked = run->has_revoked || result == APW_MANAGE_DONE;
    if (result == APW_MANAGE_DONE && dn != NULL)
        note(run, dn, id);
}

static void trace(enum apw_audit_action action, const char *login, const char *id,
                  enum apw_manage_result result, const struct apw_error *error)
{
    apw_trail_add(
        &(struct apw_audit){.action = action, .user = login, .id = id, .error = error->text},
        result);
}

static const char *would_be(const struct run *run)
{
    return run->request->is_dry_run ? "would be " : "";
}

/* ---- of one user ---- */

/* What becomes of the sessions that an app password has opened. */
static void say_what_stays_open(const struct run *run, const char *login)
{
    int64_t seconds = apw_config_sessions_end_s(run->manager->config);

    if (seconds > 0)
        apw_say(login, "open IMAP and POP3 sessions end within %" PRId64 " seconds", seconds);
    else
        apw_say(login,
                "open IMAP and POP3 sessions stay open; `doveadm kick USER` ends them, and so "
                "does app-password-watch(8) (watch_interval in app-password.conf)");
}

static void revoke_all(struct run *run, const char *login, const struct apw_user *user)
{
    struct apw_error error = {""};
    size_t count = 0;
    enum apw_manage_result result = apw_manage_revoke_all(
        run->manager, &(struct apw_target){.dn = user->dn, .user = user}, &count, &error);

    apw_trail_add_all(login, user, result, &error);
    if (result == APW_MANAGE_DONE)
        apw_output_line("%s: %zu %srevoked", login, count, would_be(run));
    else if (result == APW_MANAGE_UNCHANGED)
        apw_output_line("%s: unchanged", login);
    else
        apw_say(login, "%s", error.text);
    settle(run, result, user->holder_dn, "");
    for (size_t i = 0; i < user->password_count && result == APW_MANAGE_DONE; i++)
        if (user->password[i].id[0] != '\0')
            note(run, user->holder_dn, user->password[i].id);
}

static void revoke_id(struct run *run, const char *login, const struct apw_user *user,
                      const char *typed)
{
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result;

    if (apw_password_id_canonicalize(typed, id) != 0)
        return; /* check_ids() has rejected it already */
    result = apw_manage_revoke(run->manager, &(struct apw_target){.dn = user->dn, .user = user}, id,
                               &error);
    trace(APW_AUDIT_REVOKE, login, id, result, &error);
    if (result == APW_MANAGE_DONE)
        apw_output_line("%s: %s %srevoked", login, id, would_be(run));
    else
        apw_say(login, "%s", error.text);
    settle(run, result, user->holder_dn, id);
}

static void revoke_of_user(struct run *run, const struct apw_options *options)
{
    const char *login = options->operand[0];
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(run->manager, &(struct apw_target){.login = login}, &user, &error);

    if (result != APW_MANAGE_DONE) {
        apw_say(login, "%s", error.text);
        trace(APW_AUDIT_REVOKE, login, NULL, result, &error);
        settle(run, result, NULL, "");
        return;
    }
    if (run->request->is_all)
        revoke_all(run, login, user);
    for (int i = 1; i < options->count; i++)
        revoke_id(run, login, user, options->operand[i]);
    if (run->has_revoked && !run->request->is_dry_run)
        say_what_stays_open(run, login);
    apw_user_free(&user);
}

/* ---- expired or unused ones ---- */

/* "expired", "password changed" or "unused"; NULL to keep it. */
static const char *reason_for(const struct run *run, const struct apw_user *user,
                              const struct apw_managed_password *password)
{
    const struct request *request = run->request;

    if (!password->is_usable)
        return NULL;
    if (request->is_expired && apw_finding_is_expired(password, run->now))
        return "expired";
    if (request->is_password_changed && password->is_outdated)
        return "password changed";
    if (request->is_unused && apw_unused_is(user, password, run->now, request->unused_s))
        return "unused";
    return NULL;
}

static void sweep_one(struct run *run, const struct apw_user *user,
                      const struct apw_managed_password *password, const char *reason)
{
    struct apw_error error = {""};
    enum apw_manage_result result = apw_manage_revoke(
        run->manager, &(struct apw_target){.dn = user->dn, .user = user}, password->id, &error);

    apw_progress_hide();
    trace(APW_AUDIT_SWEEP, user->name, password->id, result, &error);
    if (result == APW_MANAGE_DONE)
        apw_output_line("%s: %s %srevoked, %s: %s", user->name, password->id, would_be(run), reason,
                        password->record.label);
    else
        apw_say(user->name, "%s: %s", password->id, error.text);
    settle(run, result, user->holder_dn, password->id);
}

static int sweep(void *context, const struct apw_user *user)
{
    struct run *run = context;

    run->has_seen = true;
    if (run->request->is_password_changed && user->is_change_unreadable && !user->is_orphan) {
        apw_progress_hide();
        apw_say(user->name, "%s", user->change_problem.text);
        apw_tally_add(&run->tally, APW_STATUS_FAILED);
    }
    for (size_t i = 0; i < user->password_count && !run->is_stopped; i++) {
        const char *reason = reason_for(run, user, &user->password[i]);

        if (reason != NULL)
            sweep_one(run, user, &user->password[i], reason);
    }
    apw_progress_step();
    return run->is_stopped ? -1 : 0;
}

/* If no use at all is recorded, an app password without one may still be in use. */
static enum apw_status check_uses(const struct run *run)
{
    struct apw_error error = {""};
    bool has_uses;
    enum apw_manage_result result =
        apw_unused_has_uses(run->manager, run->now, run->request->unused_s, &has_uses, &error);

    if (result != APW_MANAGE_DONE) {
        apw_say(NULL, "%s", error.text);
        return apw_status_of(result);
    }
    if (has_uses)
        return APW_STATUS_DONE;
    apw_say(NULL,
            "--unused: last use is not recorded here: no appPasswordUsed below \"%s\" is younger "
            "than that; nothing was revoked (record_use in app-password.conf turns recording on)",
            apw_config_has_store(run->manager->config) ? run->manager->config->store.base
                                                       : run->manager->config->base);
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
        trace(APW_AUDIT_SWEEP, login, NULL, result, &error);
        settle(run, result, NULL, "");
    }
    apw_user_free(&user);
}

static enum apw_status sweep_users(struct run *run, const struct apw_options *options)
{
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (run->request->is_unused) {
        enum apw_status status = check_uses(run);

        if (status != APW_STATUS_DONE)
            return status;
    }
    if (run->request->is_password_changed && !run->manager->config->revoke_on_password_change) {
        apw_say(NULL,
                "--password-changed: app-password.conf does not have "
                "\"revoke_on_password_change yes\", so these still work; nothing was revoked");
        return APW_STATUS_CONFIGURATION;
    }
    apw_progress_begin("users with app passwords", 0);
    if (options->count == 0) {
        result = apw_user_each_holder(run->manager, "(appPassword=*)", sweep, run, &error);
        if (result == APW_MANAGE_DONE && !run->has_seen)
            result = apw_rights_check_any(run->manager, &error);
        if (result != APW_MANAGE_DONE) {
            apw_say(NULL, "%s", error.text);
            settle(run, result, NULL, "");
        }
    }
    for (int i = 0; i < options->count && !run->is_stopped; i++)
        sweep_user(run, options->operand[i]);
    apw_progress_end();
    if (run->is_stopped)
        apw_say(NULL, "stopped: the directory is unavailable; the rest was not tried");
    apw_say(NULL, "%u %srevoked, %u failed", run->tally.count - run->tally.failed, would_be(run),
            run->tally.failed);
    return apw_tally_status(&run->tally);
}

/* ---- the command ---- */

/* A wrong id is not repeated in the message: it may be a whole app password. */
static enum apw_status check_ids(const struct apw_options *options)
{
    char id[APW_ID_LENGTH + 1];

    for (int i = 1; i < options->count; i++)
        if (apw_password_id_canonicalize(options->operand[i], id) != 0)
            return apw_say_usage("revoke: argument %d is not an id, which is the four symbols "
                                 "before the first hyphen, like k7q2; nothing was revoked",
                                 i);
    return APW_STATUS_DONE;
}

static enum apw_status check_arguments(const struct apw_options *options,
                                       const struct request *request)
{
    if (request->is_orphans &&
        (options->count > 0 || request->is_all || is_sweep(request) || request->is_waiting))
        return apw_say_usage("revoke: --orphans is about the whole store; it excludes USER, --all, "
                             "--expired, --unused, --password-changed and --wait");
    if (request->is_orphans)
        return APW_STATUS_DONE;
    if (request->is_waiting && request->is_dry_run)
        return apw_say_usage("revoke: --dry-run and --wait exclude each other");
    if (is_sweep(request))
        return request->is_all ? apw_say_usage("revoke: --all is about one USER; it excludes "
                                               "--expired, --unused and --password-changed")
                               : APW_STATUS_DONE;
    if (options->count == 0)
        return apw_say_usage("revoke: USER is missing");
    if (request->is_all && options->count > 1)
        return apw_say_usage("revoke: IDs and --all exclude each other");
    if (!request->is_all && options->count == 1)
        return apw_say_usage(
            "revoke: ID is missing; `app-password list %s` shows them; --all revokes all of them",
            options->operand[0]);
    return check_ids(options);
}

static enum apw_status read_request(const struct apw_options *options, struct request *request_r)
{
    *request_r = (struct request){
        .is_all = options->is_given[ALL],
        .is_expired = options->is_given[EXPIRED],
        .is_unused = options->is_given[UNUSED],
        .is_password_changed = options->is_given[PASSWORD_CHANGED],
        .is_orphans = options->is_given[ORPHANS],
        .is_dry_run = options->is_given[DRY_RUN],
        .is_waiting = options->is_given[WAIT],
        .wait_s = WAIT_DEFAULT_S,
    };
    if ((options->value[UNUSED] != NULL &&
         apw_option_period("--unused", options->value[UNUSED], &request_r->unused_s) != 0) ||
        (options->value[WAIT] != NULL &&
         apw_option_period("--wait", options->value[WAIT], &request_r->wait_s) != 0))
        return APW_STATUS_USAGE;
    return check_arguments(options, request_r);
}

static enum apw_status revoke_and_wait(struct run *run, const struct apw_session *session,
                                       const struct apw_options *options)
{
    enum apw_status status;

    if (is_sweep(run->request)) {
        status = sweep_users(run, options);
    } else {
        revoke_of_user(run, options);
        status = apw_tally_status(&run->tally);
    }
    if (run->revocations.count > 0) {
        enum apw_status waited = apw_wait(session, &run->revocations, run->request->wait_s);

        status = status == APW_STATUS_DONE ? waited : status;
    }
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct request request;
    struct run run = {.request = &request, .now = (int64_t)time(NULL)};
    enum apw_status status = read_request(options, &request);
    struct apw_session session;

    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    session.manager.is_dry_run = request.is_dry_run;
    session.manager.with_enrolment = !is_sweep(&request); /* invitations have ids, too */
    run.manager = &session.manager;
    status = request.is_orphans ? apw_orphans_revoke(&session)
                                : revoke_and_wait(&run, &session, options);
    apw_revocations_clear(&run.revocations);
    apw_session_close(&session);
    return status;
}

const struct apw_command apw_command_revoke = {
    .name = "revoke",
    .options = table,
    .usage = "USER ID...",
    .help = "delete app passwords and invitations",
    .run = run,
};
