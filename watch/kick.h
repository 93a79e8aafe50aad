/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick: ends open sessions, by "doveadm kick".
 */
#ifndef APW_KICK_H
#define APW_KICK_H

#include "error.h"
#include "table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_KICK_MINUTE_S 60

/* How many users may lose sessions within any minute. */
struct apw_kick_limit {
    size_t max;
    size_t kicked[APW_KICK_MINUTE_S]; /* users in each of the last seconds, in a ring */
    int64_t second;                   /* the last of them, by apw_clock_monotonic_ms() */
    bool is_held;                     /* it was exceeded; only an administrator changes that */
    bool is_released;                 /* by an administrator */
};

/* Whether the sessions of `count` more users may be ended now. If not, none may from now on. */
bool apw_kick_is_allowed(struct apw_kick_limit *limit, size_t count, int64_t now_ms);

/* Counts one user who has just lost sessions. */
void apw_kick_note(struct apw_kick_limit *limit, int64_t now_ms);

/* Nobody waits any more: the administrator's word is spent, or not needed. */
void apw_kick_settle(struct apw_kick_limit *limit);

/* Whose sessions to end. In Dovecot 2.4, all of one way in; otherwise all of the user. */
struct apw_kick_command {
    const char *target; /* borrowed from the session */
    bool is_by_field;
};

/* Fails if doveadm would take the name for something else: "*" and "?" match other users, and an
 * address is a client's. */
int apw_kick_plan(const struct apw_who_session *session, struct apw_kick_command *command_r,
                  struct apw_error *error);

/* Runs it, at most for `limit_s`. Done also if nobody was connected any more. */
int apw_kick_run(const char *doveadm, int limit_s, const struct apw_kick_command *command,
                 struct apw_error *error);

#endif
