/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reminder: a mail that a user has got, or is about to get, from app-password-portal --remind. Each
 * is one value of appPasswordMfaMethod:
 *
 *   reminder kind=mfa-week of=20270131000000Z
 *   reminder kind=expiring-14 id=k7q2 of=20270526000000Z
 *   reminder kind=unused id=k7q2 of=20261129101500Z
 *   reminder kind=unused-revoke id=k7q2 of=20261129101500Z sent=20270512000000Z
 *
 * It is added before the mail is sent. Hosts that do so at the same time add the same value, and
 * the directory accepts it once. `of` tells occasions of one kind apart: the date on which MFA is
 * enforced, the end of the app password, its last use (or else its creation), or the day of a
 * yearly mail.
 */
#ifndef APW_REMINDER_H
#define APW_REMINDER_H

#include "error.h"
#include "ldap/modify.h"
#include "password.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_REMINDER_ATTRIBUTE  "appPasswordMfaMethod"
#define APW_REMINDER_VALUE_SIZE 128

enum apw_reminder_kind {
    APW_REMINDER_MFA_ANNOUNCED = 0,
    APW_REMINDER_MFA_WEEK,
    APW_REMINDER_MFA_TODAY,
    APW_REMINDER_MADE, /* the page adds it, too, for app passwords that it has told the owner of */
    APW_REMINDER_EXPIRING_14,
    APW_REMINDER_EXPIRING_3,
    APW_REMINDER_UNUSED,
    APW_REMINDER_UNUSED_REVOKE,
    APW_REMINDER_YEARLY,
#define APW_REMINDER_KIND_COUNT (APW_REMINDER_YEARLY + 1)
};

struct apw_reminder {
    enum apw_reminder_kind kind;
    char id[APW_ID_LENGTH + 1]; /* of the app password; "" if it is about none */
    int64_t of;                 /* 0 for kinds that have none */
    /* UNUSED_REVOKE has one of these, which is the start of a day (UTC); the other is 0. */
    int64_t tried; /* the mail may have been sent or not */
    int64_t sent;
};

const char *apw_reminder_kind_name(enum apw_reminder_kind kind);

bool apw_reminder_is_value(const char *value, size_t length);
int apw_reminder_parse(const char *value, size_t length, struct apw_reminder *reminder_r,
                       struct apw_error *error);

/* Fails unless apw_reminder_parse() would read the same struct back. */
int apw_reminder_format(const struct apw_reminder *reminder, char value_r[APW_REMINDER_VALUE_SIZE],
                        struct apw_error *error);

/* Finds the user's reminder of that kind, id and occasion; returns its value, NULL if there is
 * none. The user must have been read `with_enrolment`. */
const char *apw_reminder_find(const struct apw_user *user, const struct apw_reminder *wanted,
                              struct apw_reminder *reminder_r);

/* The changes that delete reminders of app passwords that are gone; room for user->method.count.
 * Returns their number. They borrow from the user. */
size_t apw_reminder_plan_removal(const struct apw_user *user, struct apw_change *changes_r);

/* A change of reminders: values to delete, which the user has, and reminders to add. Borrowed. */
struct apw_reminder_change {
    size_t deleted_count;
    const char *const *deleted;
    size_t added_count;
    const struct apw_reminder *added;
};

/* Makes all of the change, or none; CONFLICT if somebody else has made part of it meanwhile. */
enum apw_manage_result apw_reminder_apply(const struct apw_manager *manager,
                                          const struct apw_user *user,
                                          const struct apw_reminder_change *change,
                                          struct apw_error *error);

#endif
