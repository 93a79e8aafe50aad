/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection: one connection to one server, with TLS, and what travels over it. For lib/ldap/ only.
 *
 * Belongs to one thread at a time. A child of fork() only closes it.
 */
#ifndef APW_CONNECTION_H
#define APW_CONNECTION_H

#include "error.h"
#include "ldap/handle.h"
#include "ldap/result.h"
#include "ldap/transport.h"
#include <ldap.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct apw_server {
    char *uri;
    LDAPURLDesc *url;
    _Atomic int64_t failed_at; /* apw_clock_monotonic_ms(), 0 for never */
    /* It has judged a second bind on a connection; or takes one bind, and no second. */
    atomic_bool allows_rebind, forbids_rebind;
};

struct apw_connection_settings {
    bool start_tls;
    enum apw_tls_min tls_min;
    int timeout_ms;
    int64_t idle_ms;   /* do not reuse a connection that was idle for this long; 0: no limit */
    void *tls_context; /* of apw_handle_new_tls(); NULL if no server needs TLS */
};

struct apw_connection {
    LDAP *ld;
    struct apw_transport transport;
    pid_t owner;
    struct apw_server *server;
    int64_t used_at; /* apw_clock_monotonic_ms(), when the last operation began */
    uint32_t serial; /* unique in this process and those that it was forked from */
};

/* Connects and starts TLS, but does not bind. NULL after a failure. */
struct apw_connection *apw_connection_open(const struct apw_connection_settings *settings,
                                           struct apw_server *server, int64_t deadline,
                                           struct apw_error *error);
void apw_connection_close(struct apw_connection **connection); /* takes NULL */

/* Gives the next operation its time and its bytes. */
void apw_connection_renew(struct apw_connection *connection, int64_t deadline);

/* Whether a kept connection may serve another operation: this process owns it, neither side has
 * closed it, and it was not idle for so long that a load balancer may have forgotten it. */
bool apw_connection_is_usable(const struct apw_connection *connection,
                              const struct apw_connection_settings *settings);

/* Cuts the connection, so that nobody uses it again. */
void apw_connection_abandon(struct apw_connection *connection);

/* Appends "uri: what" to the error, which may already tell of other servers. */
void apw_connection_note(struct apw_error *error, const struct apw_server *server,
                         const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Appends "uri: what: …" with libldap's own failure. */
void apw_connection_note_failure(struct apw_error *error, const struct apw_connection *connection,
                                 const char *what);

/* Waits for the next message of an operation; NULL: the connection is lost. */
LDAPMessage *apw_connection_next_message(struct apw_connection *connection, int message_id,
                                         const char *what, struct apw_error *error);

/* The contents of a result message. */
struct apw_connection_outcome {
    int code;
    char text[200];         /* for people */
    LDAPControl **controls; /* ldap_controls_free() */
};

/* Reads a result message and frees it. */
int apw_connection_read_outcome(struct apw_connection *connection, LDAPMessage *message,
                                struct apw_connection_outcome *outcome_r);

/* Waits for an operation that answers with one message of `type`. -1: the connection is lost. */
int apw_connection_wait_outcome(struct apw_connection *connection, int message_id, int type,
                                const char *what, struct apw_connection_outcome *outcome_r,
                                struct apw_error *error);

/* Whether a server with this result code is as good as gone. */
bool apw_connection_is_gone(int code);

#endif
