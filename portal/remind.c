/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind.h"
#include "clock.h"
#include "manage.h"
#include "remind_letter.h"
#include "remind_mail.h"
#include "unused.h"
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define ACTOR       "remind"
#define DAY_S       86400
#define UNUSED_S    (365 * (int64_t)DAY_S)
#define RUN_HOURS   12 /* at the rate of the site; the rest waits for the next run */
#define NAMES_MAX   20
#define NAMES_SIZE  4096
#define FILTER_SIZE 128

static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
    (void)number;
    is_stopped = 1;
}

/* The users for whom there is something to do, and what the end of the run says. */
struct plan {
    struct apw_remind_run run;
    size_t count, size;
    char **dn;
    size_t mailed, most;    /* of these, users with an address */
    char names[NAMES_SIZE]; /* of users without an address */
    unsigned named;
};

/* ---- finding the users ---- */

/* 1 if something is due, 0 if not, -1 without memory. */
static int is_due(const struct apw_remind_rules *rules, const struct apw_user *user)
{
    struct apw_remind_due due;

    for (int mail = 0; mail < APW_REMIND_MAIL_COUNT; mail++) {
        int found = apw_remind_rules_judge(rules, user, (enum apw_remind_mail)mail, &due);

        apw_remind_rules_clear(&due);
        if (found != 0)
            return found;
    }
    for (size_t i = 0; i < user->password_count; i++)
        if (apw_remind_rules_is_over(rules, user, &user->password[i]))
            return 1;
    return 0;
}

static int add_dn(struct plan *plan, const char *dn)
{
    if (plan->count == plan->size) {
        size_t size = plan->size == 0 ? 64 : 2 * plan->size;
        char **grown = reallocarray(plan->dn, size, sizeof *grown);

        if (grown == NULL)
            return -1;
        plan->dn = grown;
        plan->size = size;
    }
    plan->dn[plan->count] = strdup(dn);
    return plan->dn[plan->count++] == NULL ? -1 : 0;
}

/* Those without an address stay due for years: they take no mail from the others. */
static int add(struct plan *plan, const struct apw_user *user)
{
    plan->mailed += apw_remind_letter_address(user) != NULL;
    return add_dn(plan, user->dn);
}

static int look(void *context, const struct apw_user *user)
{
    struct plan *plan = context;
    struct apw_error error = {"out of memory"};
    int found = user->is_orphan || user->account_state == APW_ACCOUNT_STATE_ENDED
                    ? 0
                    : is_due(&plan->run.rules, user);

    if (found == 1 && plan->mailed >= plan->most && apw_remind_letter_address(user) != NULL)
        plan->run.state.counts.held++;
    else if (found == 1)
        found = add(plan, user) == 0 ? 1 : -1;
    if (found < 0)
        apw_remind_run_note(&plan->run, NULL, EX_TEMPFAIL, &error);
    return found < 0 || is_stopped ? -1 : 0;
}

/* Users with app passwords, and those for whom MFA is enforced from a date that is not long past.
 */
static void write_filter(const struct apw_remind_rules *rules, char filter_r[FILTER_SIZE])
{
    char since[APW_TIMESTAMP_SIZE];

    if (rules->settings->has[APW_REMIND_MFA] &&
        apw_clock_format_timestamp(rules->now - 3 * DAY_S, since) == 0)
        snprintf(filter_r, FILTER_SIZE, "(|(appPassword=*)(appPasswordMfaEnforceFrom>=%.*s%s))",
                 (int)strcspn(since, "Z"), since,
                 apw_directory_traits(apw_config_holder(rules->config))->utc);
    else
        snprintf(filter_r, FILTER_SIZE, "(appPassword=*)");
}

static void look_at_all(struct plan *plan)
{
    struct apw_remind_run *run = &plan->run;
    struct apw_error error = {""};
    char filter[FILTER_SIZE];
    enum apw_manage_result result;

    write_filter(&run->rules, filter);
    result = apw_user_each_holder(&run->manager, filter, look, plan, &error);
    if (result != APW_MANAGE_DONE)
        apw_remind_run_note(run, NULL, apw_remind_run_status_of(result), &error);
}

static void look_at(struct plan *plan, const char *login)
{
    struct apw_remind_run *run = &plan->run;
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(&run->manager, &(struct apw_target){.login = login}, &user, &error);

    if (result == APW_MANAGE_DONE)
        look(plan, user);
    else
        apw_remind_run_note(run, login, apw_remind_run_status_of(result), &error);
    apw_user_free(&user);
}

/* ---- one user ---- */

static void note_without_address(struct plan *plan, const struct apw_user *user)
{
    size_t length = strlen(plan->names);

    plan->run.state.counts.without_address++;
    if (plan->named >= NAMES_MAX)
        return;
    plan->named++;
    snprintf(plan->names + length, NAMES_SIZE - length, "%s%s", length > 0 ? ", " : "",
             apw_remind_run_printable(user->name));
}

static void sweep(struct apw_remind_run *run, const struct apw_user *user,
                  const struct apw_managed_password *password)
{
    struct apw_error error = {""};
    enum apw_manage_result result = apw_manage_revoke(
        &run->manager, &(struct apw_target){.dn = user->dn}, password->id, &error);
    struct apw_audit audit = {.action = APW_AUDIT_SWEEP,
                              .actor = ACTOR,
                              .user = user->name,
                              .id = password->id,
                              .is_done = result == APW_MANAGE_DONE,
                              .error = error.text};

    if (result == APW_MANAGE_NOT_FOUND) /* somebody else has revoked it */
        return;
    if (run->manager.is_dry_run)
        printf("%s: %s would be revoked: nobody uses it\n", apw_remind_run_printable(user->name),
               password->id);
    else
        apw_log_audit(run->portal->log, &audit);
    if (result == APW_MANAGE_DONE) {
        run->state.counts.revoked++;
    } else {
        run->troubles++;
        apw_remind_run_note(run, user->name, apw_remind_run_status_of(result), &error);
    }
}

static void serve(struct plan *plan, const struct apw_user *user)
{
    struct apw_remind_run *run = &plan->run;

    for (size_t i = 0; i < user->password_count; i++)
        if (apw_remind_run_goes_on(run) &&
            apw_remind_rules_is_over(&run->rules, user, &user->password[i]))
            sweep(run, user, &user->password[i]);
    if (apw_remind_letter_address(user) == NULL) {
        if (is_due(&run->rules, user) == 1)
            note_without_address(plan, user);
        return;
    }
    for (int mail = 0; mail < APW_REMIND_MAIL_COUNT; mail++)
        if (apw_remind_run_goes_on(run))
            apw_remind_mail_send(run, user, (enum apw_remind_mail)mail);
}

/* As the user is now. */
static void serve_dn(struct plan *plan, const char *dn)
{
    struct apw_remind_run *run = &plan->run;
    struct apw_error error = {""};
    struct apw_user *user;
    enum apw_manage_result result;

    if (apw_remind_run_goes_on(run))
        apw_remind_mail_wait(run);
    if (!apw_remind_run_goes_on(run)) {
        run->state.counts.held++;
        return;
    }
    result = apw_user_find(&run->manager, &(struct apw_target){.dn = dn}, &user, &error);
    if (result == APW_MANAGE_DONE) {
        switch (apw_manage_account_state(&run->manager, user, &error)) {
        case APW_ACCOUNT_STATE_ACTIVE:
            serve(plan, user);
            break;
        case APW_ACCOUNT_STATE_ENDED:
            break;
        case APW_ACCOUNT_STATE_UNREADABLE:
            result = APW_MANAGE_UNAVAILABLE;
            break;
        }
    }
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_NOT_FOUND) {
        run->troubles++;
        run->state.counts.held++;
        apw_remind_run_note(run, dn, apw_remind_run_status_of(result), &error);
    }
    apw_user_free(&user);
}

/* ---- the run ---- */

/* As for `revoke --unused`: if no use at all is recorded, an app password without one may still be
 * in use. */
static void check_uses(struct apw_remind_run *run)
{
    int64_t revoke_s = run->rules.config->revoke_unused_s,
            period = revoke_s > 0 ? revoke_s : UNUSED_S;
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (!run->rules.settings->has[APW_REMIND_UNUSED])
        return;
    result =
        apw_unused_has_uses(&run->manager, run->rules.now, period, &run->rules.has_uses, &error);
    if (result != APW_MANAGE_DONE)
        apw_remind_run_note(run, NULL, apw_remind_run_status_of(result), &error);
    else if (!run->rules.has_uses)
        puts("last use is not recorded here, or no app password was used for so long: nobody gets "
             "a mail about unused ones, and none is revoked");
}

static void print_end(const struct plan *plan)
{
    const struct apw_remind_counts *counts = &plan->run.state.counts;
    const char *would_be = plan->run.manager.is_dry_run ? "would be " : "";

    printf("mails: %u %ssent, %u failed, %u left for the next run; app passwords: %u %srevoked\n",
           counts->sent, would_be, counts->failed, counts->held, counts->revoked, would_be);
    if (counts->without_address > plan->named)
        printf("without a valid mail address: %s and %u others\n", plan->names,
               counts->without_address - plan->named);
    else if (plan->named > 0)
        printf("without a valid mail address: %s\n", plan->names);
}

static void log_end(const struct apw_remind_run *run)
{
    const struct apw_remind_counts *counts = &run->state.counts;
    char text[128];

    snprintf(text, sizeof text, "sent=%u failed=%u held=%u without-address=%u revoked=%u",
             counts->sent, counts->failed, counts->held, counts->without_address, counts->revoked);
    apw_log_audit(run->portal->log, &(struct apw_audit){.action = APW_AUDIT_REMIND,
                                                        .actor = ACTOR,
                                                        .is_done = run->exit_status == 0,
                                                        .details = text,
                                                        .error = run->state.error.text});
}

/* Otherwise, three users whose mails always fail could keep the same others from theirs. */
static void shuffle(struct plan *plan)
{
    for (size_t i = plan->count; i > 1; i--) {
        size_t other = randombytes_uniform((uint32_t)i);
        char *dn = plan->dn[i - 1];

        plan->dn[i - 1] = plan->dn[other];
        plan->dn[other] = dn;
    }
}

/* Everything that is due for all of them, or for the users of the call. */
static void work(struct plan *plan, const struct apw_remind_call *call)
{
    check_uses(&plan->run);
    for (int i = 0; i < call->count; i++)
        look_at(plan, call->user[i]);
    if (call->count == 0)
        look_at_all(plan);
    if (!call->is_dry_run)
        shuffle(plan);
    for (size_t i = 0; i < plan->count; i++)
        serve_dn(plan, plan->dn[i]);
    print_end(plan);
}

static void finish(struct plan *plan, bool is_about_all)
{
    struct apw_remind_run *run = &plan->run;
    struct apw_error error = {""};

    if (is_about_all && apw_remind_state_write(&run->state, &error) != 0)
        apw_remind_run_note(run, NULL, EX_TEMPFAIL, &error);
    log_end(run);
}

/* Reads since when there are reminders, which begin now if that is not known, and writes it: no
 * mail may be sent before it is certain that this is kept. */
static int begin(struct apw_remind_run *run, const struct apw_remind_call *call,
                 struct apw_error *error)
{
    struct apw_remind_state last;
    int64_t now = run->rules.now;

    if (apw_remind_state_read(&last, error) != 0)
        return -1;
    last.began = last.began == 0 || last.began > now ? now : last.began;
    run->state.began = run->rules.began = last.began;
    if (call->is_dry_run || call->count > 0 || apw_remind_state_write(&last, error) == 0)
        return 0;
    return apw_error_set(error, "%s; `systemctl start app-password-remind` creates the folder",
                         error->text);
}

int apw_remind_users(const struct apw_portal *portal, const struct apw_remind_call *call)
{
    const struct apw_remind_settings *settings = &portal->portal_config->remind;
    int64_t now = (int64_t)time(NULL);
    struct plan plan = {.run = {.portal = portal,
                                .manager = portal->manager,
                                .rules = {portal->config, settings, now, 0, false},
                                .state = {.time = now},
                                .stop = &is_stopped},
                        .most = (size_t)settings->rate * 60 * RUN_HOURS};
    struct apw_remind_run *run = &plan.run;
    struct apw_error error = {""};

    if (!apw_remind_settings_is_on(settings)) {
        puts("remind is off in portal.conf: nothing to do");
        return EXIT_SUCCESS;
    }
    if (begin(run, call, &error) != 0) {
        fprintf(stderr, "app-password-portal: %s\n", error.text);
        return EX_CONFIG;
    }
    run->manager.also = APW_REMIND_LANGUAGE_ATTRIBUTE;
    run->manager.is_dry_run = call->is_dry_run;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    work(&plan, call);
    if (!call->is_dry_run)
        finish(&plan, call->count == 0);
    for (size_t i = 0; i < plan.count; i++)
        free(plan.dn[i]);
    free(plan.dn);
    return run->exit_status;
}
