/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_rules: which mail a user should get now, and which app passwords should be revoked because
 * nobody uses them. Pure, but for the time zone of the process.
 *
 * Moments are seconds since 1970. The user must have been read `with_enrolment`.
 */
#ifndef APW_REMIND_RULES_H
#define APW_REMIND_RULES_H

#include "config.h"
#include "remind_settings.h"
#include "reminder.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_remind_rules {
    const struct apw_config *config;
    const struct apw_remind_settings *settings;
    int64_t now;
    int64_t began; /* when reminders were turned on: what happened before is old news */
    bool has_uses; /* uses are recorded */
};

enum apw_remind_mail {
    APW_REMIND_MAIL_MFA_ANNOUNCED = 0,
    APW_REMIND_MAIL_MFA_WEEK,
    APW_REMIND_MAIL_MFA_TODAY,
    APW_REMIND_MAIL_MADE,
    APW_REMIND_MAIL_EXPIRING,
    APW_REMIND_MAIL_UNUSED,
    APW_REMIND_MAIL_UNUSED_REVOKE,
    APW_REMIND_MAIL_YEARLY,
#define APW_REMIND_MAIL_COUNT (APW_REMIND_MAIL_YEARLY + 1)
};

/* "mfa-announced", as in the log and in the names of the templates. */
const char *apw_remind_rules_name(enum apw_remind_mail mail);

/* A mail that is due. Owned, but borrows from the user: apw_remind_rules_clear(). */
struct apw_remind_due {
    enum apw_remind_mail mail;
    size_t password_count; /* that it is about */
    const struct apw_managed_password **password;
    size_t added_count; /* that record it */
    struct apw_reminder *added;
    size_t deleted_count; /* values that say nothing any more */
    const char **deleted;
};

/* 1 if that mail is due, else 0. -1 without memory. Whether MFA is on at all is not looked at. */
int apw_remind_rules_judge(const struct apw_remind_rules *rules, const struct apw_user *user,
                           enum apw_remind_mail mail, struct apw_remind_due *due_r);
void apw_remind_rules_clear(struct apw_remind_due *due);

/* When an app password whose owner gets the mail UNUSED_REVOKE at `now` is revoked. */
int64_t apw_remind_rules_revocation(int64_t now);

/* Whether that mail has said so, and the time has come. */
bool apw_remind_rules_is_over(const struct apw_remind_rules *rules, const struct apw_user *user,
                              const struct apw_managed_password *password);

#endif
