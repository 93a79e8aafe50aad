/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_mail.h"
#include "clock.h"
#include "mail.h"
#include "remind_letter.h"
#include "update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ACTOR                "remind"
#define MINUTE_MS            60000
#define SLICE_MS             200
#define DAY_S                86400
#define IDS_SIZE             256
#define OUT_OF_MEMORY(error) apw_error_set(error, "out of memory")

/* ---- recording ---- */

/* A mail that is recorded. Owned: clear(). */
struct attempt {
    struct apw_remind_run *run;
    enum apw_remind_mail kind;
    struct apw_mail mail;
    size_t count;
    struct apw_reminder *reminder;
    char ids[IDS_SIZE];         /* for people */
    char id[APW_ID_LENGTH + 1]; /* "" unless it is about one app password */
    bool is_sent;               /* for amend() */
};

static void clear(struct attempt *attempt)
{
    apw_mail_free(&attempt->mail);
    free(attempt->reminder);
    attempt->reminder = NULL;
    attempt->count = 0;
    attempt->ids[0] = attempt->id[0] = '\0';
}

static int keep(struct attempt *attempt, const struct apw_remind_due *due, struct apw_error *error)
{
    attempt->reminder = calloc(due->added_count, sizeof *attempt->reminder);
    if (attempt->reminder == NULL)
        return OUT_OF_MEMORY(error);
    memcpy(attempt->reminder, due->added, due->added_count * sizeof *due->added);
    attempt->count = due->added_count;
    for (size_t i = 0; i < due->password_count; i++) {
        size_t length = strlen(attempt->ids);

        snprintf(attempt->ids + length, IDS_SIZE - length, " %s", due->password[i]->id);
    }
    if (due->password_count == 1)
        strcpy(attempt->id, due->password[0]->id);
    return 0;
}

static bool is_about_mfa(enum apw_remind_mail mail)
{
    return mail == APW_REMIND_MAIL_MFA_ANNOUNCED || mail == APW_REMIND_MAIL_MFA_WEEK ||
           mail == APW_REMIND_MAIL_MFA_TODAY;
}

/* UNCHANGED if MFA is off, whatever its date. */
static enum apw_manage_result check_mfa(const struct apw_manager *manager,
                                        const struct apw_user *user, enum apw_remind_mail mail,
                                        struct apw_error *error)
{
    enum apw_manage_result result = APW_MANAGE_DONE;
    enum apw_mfa mfa = APW_MFA_ON;

    if (is_about_mfa(mail))
        result = apw_user_mfa(manager, user, &mfa, error);
    return result == APW_MANAGE_DONE && mfa != APW_MFA_ON ? APW_MANAGE_UNCHANGED : result;
}

/* Writes the mail and records it: a mail that cannot be written is not recorded. */
static enum apw_manage_result record(const struct apw_manager *manager, const struct apw_user *user,
                                     struct attempt *attempt, const struct apw_remind_due *due,
                                     struct apw_error *error)
{
    const struct apw_reminder_change change = {due->deleted_count, due->deleted, due->added_count,
                                               due->added};
    enum apw_manage_result result = check_mfa(manager, user, due->mail, error);

    if (result != APW_MANAGE_DONE)
        return result;
    if (keep(attempt, due, error) != 0 ||
        apw_remind_letter_write(attempt->run->portal, user, due, attempt->run->rules.now,
                                &attempt->mail, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    return apw_reminder_apply(manager, user, &change, error);
}

/* UNCHANGED if the mail is not due, or another host was faster. */
static enum apw_manage_result claim(const struct apw_manager *manager, const struct apw_user *user,
                                    void *context, struct apw_error *error)
{
    struct attempt *attempt = context;
    struct apw_remind_due due;
    enum apw_manage_result result = APW_MANAGE_UNCHANGED;

    clear(attempt);
    switch (apw_remind_rules_judge(&attempt->run->rules, user, attempt->kind, &due)) {
    case 0:
        break;
    case 1:
        result = record(manager, user, attempt, &due, error);
        break;
    default:
        OUT_OF_MEMORY(error);
        result = APW_MANAGE_UNAVAILABLE;
    }
    apw_remind_rules_clear(&due);
    return result;
}

/* What the record becomes once the mail was sent or not. */
static enum apw_manage_result amend(const struct apw_manager *manager, const struct apw_user *user,
                                    void *context, struct apw_error *error)
{
    const struct attempt *attempt = context;
    const char **deleted = calloc(attempt->count, sizeof *deleted);
    struct apw_reminder *added = calloc(attempt->count, sizeof *added);
    struct apw_reminder_change change = {.deleted = deleted, .added = added};
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;

    OUT_OF_MEMORY(error);
    for (size_t i = 0; deleted != NULL && added != NULL && i < attempt->count; i++) {
        struct apw_reminder *reminder = &added[change.added_count];
        const char *value = apw_reminder_find(user, &attempt->reminder[i], reminder);

        if (value == NULL)
            continue;
        deleted[change.deleted_count++] = value;
        reminder->sent = reminder->tried;
        reminder->tried = 0;
        change.added_count += attempt->is_sent;
    }
    if (deleted != NULL && added != NULL)
        result = apw_reminder_apply(manager, user, &change, error);
    free(deleted);
    free(added);
    return result;
}

/* ---- sending ---- */

static void report(const struct attempt *attempt, const char *name, const struct apw_error *error)
{
    apw_log_audit(attempt->run->portal->log,
                  &(struct apw_audit){.action = APW_AUDIT_MAIL,
                                      .actor = ACTOR,
                                      .user = name,
                                      .id = attempt->id[0] != '\0' ? attempt->id : NULL,
                                      .is_done = error == NULL,
                                      .mail = apw_remind_rules_name(attempt->kind),
                                      .error = error == NULL ? NULL : error->text});
}

void apw_remind_mail_wait(const struct apw_remind_run *run)
{
    while (!*run->stop && apw_clock_remaining_ms(run->next_ms) > 0) {
        int64_t slice = apw_clock_monotonic_ms() + SLICE_MS;

        apw_clock_sleep_until_ms(run->next_ms < slice ? run->next_ms : slice);
    }
}

/* The mail was accepted, or will never be, or (is_taken_back) was not sent. */
static void settle(struct attempt *attempt, const struct apw_user *user, bool is_sent)
{
    struct apw_remind_run *run = attempt->run;
    struct apw_error error = {""};
    enum apw_manage_result result;

    attempt->is_sent = is_sent;
    result = apw_update_user(&run->manager, &(struct apw_target){.dn = user->dn}, amend, attempt,
                             &error);
    if (result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED)
        return;
    apw_error_set(&error, "the mail %s was %s, but this cannot be recorded: %s",
                  apw_remind_rules_name(attempt->kind),
                  is_sent ? "sent" : "not sent, and will not be", error.text);
    apw_remind_run_note(run, user->name, apw_remind_run_status_of(result), &error);
}

static void send_now(struct attempt *attempt, const struct apw_user *user)
{
    struct apw_remind_run *run = attempt->run;
    struct apw_error error = {""};

    apw_remind_mail_wait(run);
    run->next_ms = apw_clock_monotonic_ms() + MINUTE_MS / run->rules.settings->rate;
    switch (apw_mail_send(&run->portal->portal_config->mail, &attempt->mail, NULL, &error)) {
    case APW_MAIL_SENT:
        run->troubles = 0;
        run->state.counts.sent++;
        report(attempt, user->name, NULL);
        if (attempt->kind == APW_REMIND_MAIL_UNUSED_REVOKE)
            settle(attempt, user, true);
        break;
    case APW_MAIL_REFUSED:
        run->troubles = 0;
        run->state.counts.failed++;
        report(attempt, user->name, &error);
        apw_remind_run_note(run, user->name, EXIT_FAILURE, &error);
        break;
    case APW_MAIL_NOT_SENT:
        run->troubles++;
        run->state.counts.held++;
        report(attempt, user->name, &error);
        apw_remind_run_note(run, user->name, EX_TEMPFAIL, &error);
        settle(attempt, user, false);
        break;
    }
}

void apw_remind_mail_send(struct apw_remind_run *run, const struct apw_user *user,
                          enum apw_remind_mail mail)
{
    const struct apw_target target = {.dn = user->dn, .user = user};
    struct attempt attempt = {.run = run, .kind = mail};
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_update_user(&run->manager, &target, claim, &attempt, &error);

    if (result == APW_MANAGE_DONE && run->manager.is_dry_run) {
        run->state.counts.sent++;
        printf("%s: would get the mail %s%s\n", apw_remind_run_printable(user->name),
               apw_remind_rules_name(mail), attempt.ids);
    } else if (result == APW_MANAGE_DONE) {
        send_now(&attempt, user);
    } else if (result != APW_MANAGE_UNCHANGED && result != APW_MANAGE_NOT_FOUND) {
        run->troubles++;
        run->state.counts.held++;
        report(&attempt, user->name, &error);
        apw_remind_run_note(run, user->name, apw_remind_run_status_of(result), &error);
    }
    clear(&attempt);
}
