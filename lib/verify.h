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
 * moment of apw_clock_monotonic_ms(). Free the result's dn with apw_verify_clear(). */
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

void apw_verify_clear(struct apw_decision *decision);

#endif
