/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_rules.h"
#include "manage.h"
#include "policy.h"
#include "unused.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S        86400
#define WEEK_S       (7 * DAY_S)
#define UNUSED_S     (365 * (int64_t)DAY_S)
#define LOST_S       (2 * DAY_S) /* a mail that was only tried, so long ago, is sent again */
#define YEAR_DAYS    365
#define YEARLY_AGE_S (90 * DAY_S) /* of the oldest app password */
#define YEARLY_LATE  30           /* days; later, the mail is left out */
#define YEARLY_APART 300          /* days between two */

const char *apw_remind_rules_name(enum apw_remind_mail mail)
{
    static const char *const names[] = {
        [APW_REMIND_MAIL_MFA_ANNOUNCED] = "mfa-announced", [APW_REMIND_MAIL_MFA_WEEK] = "mfa-week",
        [APW_REMIND_MAIL_MFA_TODAY] = "mfa-today",         [APW_REMIND_MAIL_MADE] = "made",
        [APW_REMIND_MAIL_EXPIRING] = "expiring",           [APW_REMIND_MAIL_UNUSED] = "unused",
        [APW_REMIND_MAIL_UNUSED_REVOKE] = "unused-revoke", [APW_REMIND_MAIL_YEARLY] = "yearly",
    };

    return names[mail];
}

/* ---- what is recorded ---- */

static bool has(const struct apw_user *user, enum apw_reminder_kind kind, const char *id,
                int64_t of)
{
    struct apw_reminder wanted = {.kind = kind, .of = of}, found;

    strcpy(wanted.id, id);
    return apw_reminder_find(user, &wanted, &found) != NULL;
}

static void record(struct apw_remind_due *due, enum apw_reminder_kind kind, const char *id,
                   int64_t of)
{
    struct apw_reminder *added = &due->added[due->added_count++];

    *added = (struct apw_reminder){.kind = kind, .of = of};
    strcpy(added->id, id);
}

/* The same, unless it is recorded. */
static void record_once(const struct apw_user *user, struct apw_remind_due *due,
                        enum apw_reminder_kind kind, const char *id, int64_t of)
{
    if (!has(user, kind, id, of))
        record(due, kind, id, of);
}

static void list(struct apw_remind_due *due, const struct apw_managed_password *password)
{
    due->password[due->password_count++] = password;
}

/* ---- MFA that is announced ---- */

/* The start of the day of that moment, in the time zone of the process. */
static int64_t start_of_day(int64_t moment)
{
    time_t seconds = (time_t)moment;
    struct tm day;

    if (localtime_r(&seconds, &day) == NULL)
        return moment;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    return (int64_t)mktime(&day);
}

/* The day itself, or the next one if no mail could be sent that day. */
static bool is_mfa_today(const struct apw_remind_rules *rules, int64_t from)
{
    int64_t start = start_of_day(from);

    return rules->now >= start && rules->now < start + 2 * DAY_S;
}

/* The mail about MFA that is due; -1 for none. Users who have set up an app password get only the
 * first. */
static int judge_mfa(const struct apw_remind_rules *rules, const struct apw_user *user)
{
    int64_t from = user->enforce_from;
    bool is_ready = apw_manage_has_working_password(user, rules->now);

    if (!user->has_enforce_from || !user->is_enforce_from_readable)
        return -1;
    if (is_mfa_today(rules, from))
        return is_ready || has(user, APW_REMINDER_MFA_TODAY, "", from) ? -1
                                                                       : APW_REMIND_MAIL_MFA_TODAY;
    if (from <= rules->now)
        return -1;
    if (!has(user, APW_REMINDER_MFA_ANNOUNCED, "", from))
        return APW_REMIND_MAIL_MFA_ANNOUNCED;
    return is_ready || from > rules->now + WEEK_S || has(user, APW_REMINDER_MFA_WEEK, "", from)
               ? -1
               : APW_REMIND_MAIL_MFA_WEEK;
}

/* Also those before it, which must not follow. */
static void plan_mfa(const struct apw_remind_rules *rules, const struct apw_user *user,
                     struct apw_remind_due *due)
{
    int64_t from = user->enforce_from;

    if ((int)due->mail != judge_mfa(rules, user))
        return;
    record_once(user, due, APW_REMINDER_MFA_ANNOUNCED, "", from);
    if (due->mail != APW_REMIND_MAIL_MFA_ANNOUNCED || from <= rules->now + WEEK_S + DAY_S)
        record_once(user, due, APW_REMINDER_MFA_WEEK, "", from);
    if (due->mail == APW_REMIND_MAIL_MFA_TODAY)
        record_once(user, due, APW_REMINDER_MFA_TODAY, "", from);
}

/* ---- app passwords ---- */

static bool works(const struct apw_remind_rules *rules, const struct apw_managed_password *password)
{
    return password->is_usable && !password->is_outdated && password->end > rules->now;
}

static void plan_made(const struct apw_remind_rules *rules, const struct apw_user *user,
                      const struct apw_managed_password *password, struct apw_remind_due *due)
{
    if (!works(rules, password) || password->record.created <= rules->began ||
        has(user, APW_REMINDER_MADE, password->id, 0))
        return;
    record(due, APW_REMINDER_MADE, password->id, 0);
    list(due, password);
}

/* Nobody is told that one which was made to live a few days ends in a few days. */
static void plan_expiring(const struct apw_remind_rules *rules, const struct apw_user *user,
                          const struct apw_managed_password *password, struct apw_remind_due *due)
{
    int64_t days = password->end <= rules->now + 3 * DAY_S ? 3 : 14;
    enum apw_reminder_kind kind = days == 3 ? APW_REMINDER_EXPIRING_3 : APW_REMINDER_EXPIRING_14;

    if (!works(rules, password) || password->end > rules->now + days * DAY_S ||
        password->end - password->record.created <= days * DAY_S ||
        has(user, kind, password->id, password->end) ||
        has(user, APW_REMINDER_EXPIRING_3, password->id, password->end))
        return;
    record_once(user, due, APW_REMINDER_EXPIRING_14, password->id, password->end);
    if (days == 3)
        record(due, APW_REMINDER_EXPIRING_3, password->id, password->end);
    list(due, password);
}

/* With revoke_unused, the other mail says more, and sooner. */
static void plan_unused(const struct apw_remind_rules *rules, const struct apw_user *user,
                        const struct apw_managed_password *password, struct apw_remind_due *due)
{
    int64_t since = apw_unused_since(user, password, rules->now);

    if (!rules->has_uses || rules->config->revoke_unused_s > 0 || since > rules->now - UNUSED_S ||
        has(user, APW_REMINDER_UNUSED, password->id, since))
        return;
    record(due, APW_REMINDER_UNUSED, password->id, since);
    list(due, password);
}

static int64_t today(int64_t now)
{
    return now - now % DAY_S;
}

static void plan_revocation(const struct apw_remind_rules *rules, const struct apw_user *user,
                            const struct apw_managed_password *password, struct apw_remind_due *due)
{
    int64_t end = apw_unused_end(rules->config, user, password, rules->now);
    struct apw_reminder wanted = {.kind = APW_REMINDER_UNUSED_REVOKE}, found;
    const char *value;

    if (!rules->has_uses || end == APW_POLICY_NEVER || end > rules->now + APW_POLICY_NOTICE_S)
        return;
    wanted.of = end - rules->config->revoke_unused_s;
    strcpy(wanted.id, password->id);
    value = apw_reminder_find(user, &wanted, &found);
    if (value != NULL && (found.sent > 0 || found.tried > rules->now - LOST_S))
        return;
    if (value != NULL)
        due->deleted[due->deleted_count++] = value;
    wanted.tried = today(rules->now);
    due->added[due->added_count++] = wanted;
    list(due, password);
}

int64_t apw_remind_rules_revocation(int64_t now)
{
    return today(now) + APW_POLICY_NOTICE_S;
}

bool apw_remind_rules_is_over(const struct apw_remind_rules *rules, const struct apw_user *user,
                              const struct apw_managed_password *password)
{
    int64_t end = apw_unused_end(rules->config, user, password, rules->now);
    struct apw_reminder wanted = {.kind = APW_REMINDER_UNUSED_REVOKE}, found;

    if (!rules->has_uses || !rules->settings->has[APW_REMIND_UNUSED] || end > rules->now)
        return false;
    wanted.of = end - rules->config->revoke_unused_s;
    strcpy(wanted.id, password->id);
    return apw_reminder_find(user, &wanted, &found) != NULL && found.sent > 0 &&
           apw_remind_rules_revocation(found.sent) <= rules->now;
}

/* ---- once a year ---- */

/* The last of the user's days, once in 365 days: a number that spreads users over the year. */
static int64_t yearly_day(const struct apw_user *user, int64_t now)
{
    const char *key = user->unique_id != NULL ? user->unique_id : user->dn;
    int64_t day = now / DAY_S;
    uint8_t hash[crypto_generichash_BYTES_MIN];
    int64_t slot;

    crypto_generichash(hash, sizeof hash, (const unsigned char *)key, strlen(key), NULL, 0);
    slot = (hash[0] << 16 | hash[1] << 8 | hash[2]) % YEAR_DAYS;
    return day - (day - slot) % YEAR_DAYS;
}

static bool had_yearly(const struct apw_user *user, int64_t day)
{
    struct apw_reminder found;
    struct apw_error error;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_reminder_parse(value->bytes, value->length, &found, &error) == 0 &&
            found.kind == APW_REMINDER_YEARLY && found.of > (day - YEARLY_APART) * DAY_S)
            return true;
    }
    return false;
}

static void plan_yearly(const struct apw_remind_rules *rules, const struct apw_user *user,
                        struct apw_remind_due *due)
{
    int64_t day = yearly_day(user, rules->now), oldest = rules->now;

    if (day < rules->began / DAY_S || day < rules->now / DAY_S - YEARLY_LATE ||
        had_yearly(user, day))
        return;
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (!works(rules, password))
            continue;
        list(due, password);
        if (password->record.created < oldest)
            oldest = password->record.created;
    }
    if (oldest <= rules->now - YEARLY_AGE_S)
        record(due, APW_REMINDER_YEARLY, "", day * DAY_S);
}

/* ---- all of it ---- */

static bool is_about_end(enum apw_reminder_kind kind)
{
    return kind == APW_REMINDER_EXPIRING_14 || kind == APW_REMINDER_EXPIRING_3;
}

/* Whether the mail is about something that is over. */
static bool is_obsolete(const struct apw_remind_rules *rules, const struct apw_user *user,
                        const struct apw_reminder *reminder)
{
    if (reminder->id[0] == '\0')
        return reminder->kind == APW_REMINDER_YEARLY
                   ? reminder->of < rules->now - 2 * UNUSED_S
                   : !user->has_enforce_from ||
                         (user->is_enforce_from_readable && user->enforce_from != reminder->of);
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, reminder->id) == 0) {
            int64_t since = apw_unused_since(user, &user->password[i], rules->now);

            if (is_about_end(reminder->kind))
                return reminder->of != user->password[i].end;
            return reminder->of != 0 && since != APW_POLICY_NEVER && since != reminder->of;
        }
    return true;
}

static void plan_deletions(const struct apw_remind_rules *rules, const struct apw_user *user,
                           struct apw_remind_due *due)
{
    struct apw_reminder reminder;
    struct apw_error error;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_reminder_parse(value->bytes, value->length, &reminder, &error) == 0 &&
            is_obsolete(rules, user, &reminder))
            due->deleted[due->deleted_count++] = value->bytes;
    }
}

/* About each app password by itself. */
typedef void (*planner)(const struct apw_remind_rules *rules, const struct apw_user *user,
                        const struct apw_managed_password *password, struct apw_remind_due *due);

static const struct row {
    enum apw_remind_topic topic;
    planner plan; /* NULL: one of the others */
} rows[] = {
    [APW_REMIND_MAIL_MFA_ANNOUNCED] = {APW_REMIND_MFA, NULL},
    [APW_REMIND_MAIL_MFA_WEEK] = {APW_REMIND_MFA, NULL},
    [APW_REMIND_MAIL_MFA_TODAY] = {APW_REMIND_MFA, NULL},
    [APW_REMIND_MAIL_MADE] = {APW_REMIND_MADE, plan_made},
    [APW_REMIND_MAIL_EXPIRING] = {APW_REMIND_EXPIRING, plan_expiring},
    [APW_REMIND_MAIL_UNUSED] = {APW_REMIND_UNUSED, plan_unused},
    [APW_REMIND_MAIL_UNUSED_REVOKE] = {APW_REMIND_UNUSED, plan_revocation},
    [APW_REMIND_MAIL_YEARLY] = {APW_REMIND_YEARLY, NULL},
};

static int reserve(const struct apw_user *user, struct apw_remind_due *due)
{
    due->password = calloc(user->password_count + 1, sizeof *due->password);
    due->added = calloc(2 * user->password_count + 3, sizeof *due->added);
    due->deleted = calloc(user->password_count + user->method.count + 1, sizeof *due->deleted);
    return due->password != NULL && due->added != NULL && due->deleted != NULL ? 0 : -1;
}

int apw_remind_rules_judge(const struct apw_remind_rules *rules, const struct apw_user *user,
                           enum apw_remind_mail mail, struct apw_remind_due *due_r)
{
    planner plan = rows[mail].plan;

    *due_r = (struct apw_remind_due){.mail = mail};
    if (!rules->settings->has[rows[mail].topic])
        return 0;
    if (reserve(user, due_r) != 0) {
        apw_remind_rules_clear(due_r);
        return -1;
    }
    for (size_t i = 0; plan != NULL && i < user->password_count; i++)
        plan(rules, user, &user->password[i], due_r);
    if (rows[mail].topic == APW_REMIND_MFA)
        plan_mfa(rules, user, due_r);
    else if (rows[mail].topic == APW_REMIND_YEARLY)
        plan_yearly(rules, user, due_r);
    if (due_r->added_count == 0) {
        apw_remind_rules_clear(due_r);
        return 0;
    }
    plan_deletions(rules, user, due_r);
    return 1;
}

void apw_remind_rules_clear(struct apw_remind_due *due)
{
    free(due->password);
    free(due->added);
    free(due->deleted);
    *due = (struct apw_remind_due){.mail = due->mail};
}
