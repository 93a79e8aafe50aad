/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event: one log line per login. The line is an interface; fail2ban and people read it.
 *
 *   app-password: verdict=refused reason=account-password-with-mfa user="alice" service=smtp
 *   client=203.0.113.7 id=-
 *
 * (one line). Optional fields follow: repeat= action= invitation= would-refuse= exempt= dn=""
 * error="" name="" session= actor="".
 */
#ifndef APW_EVENT_H
#define APW_EVENT_H

#include "error.h"
#include "line.h"
#include "login.h"
#include "network.h"
#include "password.h"
#include "reason.h"
#include "repeat.h"
#include "service.h"
#include "verdict.h"
#include <stdbool.h>
#include <stddef.h>

#define APW_EVENT_SIZE   APW_LINE_SIZE
#define APW_SESSION_SIZE 65 /* 64 characters and NUL */

/* The contents of the line. Holds no secret. Empty text is logged as "-", or left out. */
struct apw_event {
    enum apw_verdict verdict;
    enum apw_reason reason;
    char user[APW_LOGIN_SIZE]; /* the login as typed, cut at 255 bytes; not NUL-terminated */
    size_t user_length;        /* may hold any bytes */
    char service[APW_SERVICE_SIZE];
    char client[APW_ADDRESS_TEXT_SIZE];
    char id[APW_ID_LENGTH + 1];
    char name[APW_LOGIN_SIZE]; /* the accepted name: the login, or login_attribute's value; else "";
                                * logged if it is not what was typed */
    char session[APW_SESSION_SIZE]; /* the host's ID of the session */
    enum apw_repeat repeat; /* whether this client sent this wrong account password before */
    bool would_refuse;  /* account password accepted although MFA is on: announced or reported */
    bool is_exempt;     /* tried only because of account_password_from */
    const char *action; /* borrowed; the change requested, or NULL for a login */
    const char *actor;  /* borrowed; the login of somebody of the help desk who acts for the user,
                         * or NULL */
    char *dn;           /* the entry, if somebody should look at it, or NULL */
    struct apw_error detail; /* logged unless accepted; "" if the reason says enough */
    /* The id of the invitation that was used, or "". */
    char invitation[APW_ID_LENGTH + 1];
};

/* Copies a session ID if it has 1 to 64 visible ASCII characters without quotes and
 * backslashes; it may come from the client. Otherwise leaves "". */
void apw_event_set_session(struct apw_event *event, const char *session);

/* Writes the line without a newline. Fields that do not fit are left out. */
void apw_event_format(const struct apw_event *event, char line_r[APW_EVENT_SIZE]);

/* The same for open sessions that were ended: "action=kick" instead of the verdict, so that nobody
 * takes the line for one about a login. */
void apw_event_format_kick(const struct apw_event *event, char line_r[APW_EVENT_SIZE]);

#endif
