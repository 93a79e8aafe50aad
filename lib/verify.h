/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify: THE decision. Login, password, service and client in, a verdict out.
 */
#ifndef APW_VERIFY_H
#define APW_VERIFY_H

#include "config.h"
#include "error.h"
#include "event.h"
#include "hash.h"
#include "ldap/directory.h"
#include "login.h"
#include "network.h"
#include "password.h"
#include "reason.h"
#include "record.h"
#include "secret.h"
#include "service.h"
#include "use.h"
#include "verdict.h"
#include "world.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why the host rejects a login before its password is checked. */
struct apw_objection {
    enum apw_verdict verdict; /* APW_REFUSED, or APW_UNAVAILABLE if the host could not tell */
    struct apw_error why;
};

/* The client's message and the host's knowledge. Borrowed for the call. */
struct apw_attempt {
    const char *login; /* after canon-user; need not end in NUL */
    size_t login_length;
    const char *password;
    size_t password_length;
    const char *service;                   /* as the host calls it, NULL if unknown */
    const char *client;                    /* numeric address, NULL if unknown */
    const char *session;                   /* the host's ID of the session, or NULL */
    int64_t waited_ms;                     /* in the host's queue, before this call */
    const struct apw_objection *objection; /* then nothing is decided, only logged; or NULL */
    /* Called last, when everything else accepts: does the host accept `name`, and may it act as
     * the requested identity? Its result is the verdict; *reason_r is that of a refusal. */
    enum apw_verdict (*authorize)(void *context, const char *name, enum apw_reason *reason_r,
                                  struct apw_error *error);
    void *authorize_context;
};

/* Whether a login leads to a user, as far as the directory tells. */
enum apw_existence {
    APW_EXISTENCE_UNAVAILABLE = 0, /* no answer, or several entries */
    APW_EXISTENCE_UNKNOWN,         /* no such user, or an account that has ended */
    APW_EXISTENCE_KNOWN,
};

/* The outcome. Holds no secret. */
struct apw_decision {
    struct apw_event event; /* the verdict, its reason, and the rest of the log line; owns its dn */
    char *use_dn;           /* owned; the entry whose appPasswordUsed is due, else NULL */
    struct apw_use use;     /* the value to write there */
};

/* Decides. Never fails: if it cannot decide, the verdict is APW_UNAVAILABLE, as it is for every
 * well-formed login if `config` is NULL, which stands for a broken configuration. `deadline` is a
 * moment of apw_clock_monotonic_ms(). A login that waited longer than half of the
 * configuration's `deadline` is unavailable and costs nothing: its client may be gone. Free the
 * result's dn with apw_verify_clear(). */
void apw_verify(const struct apw_config *config, const struct apw_world *world,
                const struct apw_attempt *attempt, int64_t deadline,
                struct apw_decision *decision_r);

/* Whether the attempt's login leads to one account that has not ended, and by which accepted name
 * (decision_r->event.name). Checks no password and accepts nobody: decision_r's verdict is never
 * APW_ACCEPTED, and its event says why the user is not known. Otherwise like apw_verify(). */
enum apw_existence apw_verify_existence(const struct apw_config *config,
                                        const struct apw_world *world,
                                        const struct apw_attempt *attempt, int64_t deadline,
                                        struct apw_decision *decision_r);

/* ---- sessions that are open ---- */

/* By what somebody signed in: the id of an app password, or APW_WAY_ACCOUNT_PASSWORD. */
#define APW_WAY_ACCOUNT_PASSWORD "account-password"
#define APW_WAY_SIZE             17

enum apw_standing {
    APW_STANDING_UNKNOWN = 0, /* no answer, or none that a login would act on */
    APW_STANDING_VALID,       /* the right password would be accepted */
    APW_STANDING_ENDED,       /* every password would be refused */
};

/* One way in, for one service and client. */
struct apw_way {
    char name[APW_WAY_SIZE];
    enum apw_standing standing;
    enum apw_reason reason; /* unless valid */
    int64_t ended;          /* when it was revoked or expired, in seconds since 1970; 0: unknown */
};

/* An open session: where it comes from, and the ways in from there. */
struct apw_open_session {
    const char *service; /* as the host calls it; borrowed, as are the next two */
    const char *client;  /* numeric address */
    const char *way;     /* the one to ask about; NULL: the account password and all of the entry */
    size_t count;
    struct apw_way *found; /* owned */
};

/* A user with open sessions. */
struct apw_session_user {
    struct apw_event event; /* why the user cannot sign in at all; owns its dn */
    char *dn;               /* owned; the user's entry, or NULL */
    char *stored_dn;        /* owned; the entry in the store, or NULL */
    int64_t until;          /* the clock alone changes none of this before; seconds since 1970 */
};

/* Looks at everything that a login by `login` would look at but the password, for each of `count`
 * sessions. KNOWN fills the sessions. UNKNOWN: no such user, or an account that has ended; the
 * event says which. Accepts nobody. Otherwise like apw_verify(). Free with
 * apw_verify_clear_session_user() and apw_verify_clear_open_sessions(), whatever the result. */
enum apw_existence apw_verify_open_sessions(const struct apw_config *config,
                                            const struct apw_world *world, const char *login,
                                            struct apw_open_session *sessions, size_t count,
                                            int64_t deadline, struct apw_session_user *user_r);
void apw_verify_clear_session_user(struct apw_session_user *user);
void apw_verify_clear_open_sessions(struct apw_open_session *sessions, size_t count);

void apw_verify_clear(struct apw_decision *decision);

#endif
