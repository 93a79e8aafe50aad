/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset: the help desk has asked to remove a user's second factors, and a waiting time runs, in
 * which the user may cancel it. One value of appPasswordMfaMethod:
 *
 *   reset id=k7q2 created=20261129101500Z at=20261130101500Z by=<login in base64url>
 *
 * Nothing happens by itself: from `at` on, for APW_RESET_SECONDS, the next sign-in on the page with
 * the account password removes the factors. App passwords are not touched.
 */
#ifndef APW_RESET_H
#define APW_RESET_H

#include "error.h"
#include "login.h"
#include "password.h"
#include "user.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_RESET_SECONDS    (7 * 86400)
#define APW_RESET_VALUE_SIZE 512

struct apw_reset {
    char id[APW_ID_LENGTH + 1];
    int64_t created;
    int64_t at;              /* takes effect while at <= now < at + APW_RESET_SECONDS */
    char by[APW_LOGIN_SIZE]; /* who of the help desk has asked for it */
};

enum apw_reset_state {
    APW_RESET_UNREADABLE = 0, /* at least one value is damaged; the error says which user has it */
    APW_RESET_NONE,           /* or its time is over */
    APW_RESET_WAITING,
    APW_RESET_DUE,
};

bool apw_reset_is_value(const char *value, size_t length);
int apw_reset_parse(const char *value, size_t length, struct apw_reset *reset_r,
                    struct apw_error *error);

/* Fails unless apw_reset_parse() would read the same struct back. */
int apw_reset_format(const struct apw_reset *reset, char value_r[APW_RESET_VALUE_SIZE],
                     struct apw_error *error);

/* Fills *reset_r if one is WAITING or DUE. The user must have been read `with_enrolment`. */
enum apw_reset_state apw_reset_read(const struct apw_user *user, int64_t now,
                                    struct apw_reset *reset_r, struct apw_error *error);

/* Stores a reset that takes effect in `delay_s` seconds. UNCHANGED if there is one already, which
 * *reset_r then is; NOT_FOUND if the user has no second factors; REFUSED if a value is damaged. Of
 * concurrent calls at most one is DONE; the others may end in CONFLICT. */
enum apw_manage_result apw_reset_request(const struct apw_manager *manager,
                                         const struct apw_target *target, int64_t delay_s,
                                         const char *by, struct apw_reset *reset_r,
                                         struct apw_error *error);

/* Removes all of them, damaged ones, too. UNCHANGED if there is none. */
enum apw_manage_result apw_reset_cancel(const struct apw_manager *manager,
                                        const struct apw_target *target, struct apw_error *error);

/* If one is due, removes, in one step, the second factors and everything else in
 * appPasswordMfaMethod but enrollment codes and reminders; *reset_r is then the reset. UNCHANGED if
 * none is due, REFUSED if a value is damaged. */
enum apw_manage_result apw_reset_carry_out(const struct apw_manager *manager,
                                           const struct apw_target *target,
                                           struct apw_reset *reset_r, struct apw_error *error);

#endif
