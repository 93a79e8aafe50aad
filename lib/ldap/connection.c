/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/connection.h"
#include "clock.h"
#include "ldap/handle.h"
#include <openldap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INCOMING_BYTES_MAX (4 * 1024 * 1024) /* one LDAP message */
/* Bytes one operation may receive between entries; libldap queues unsolicited notifications (RFC
 * 4511, 4.4) without limit. */
#define OPERATION_BYTES_MAX (2 * INCOMING_BYTES_MAX)

#ifdef APW_LDAPI_SOCKET
static const char ldapi_default_path[] = APW_LDAPI_SOCKET;
#else
static const char ldapi_default_path[] = "/var/run/slapd/ldapi";
#endif

static _Atomic uint32_t next_serial = 1;

void apw_connection_note(struct apw_error *error, const struct apw_server *server,
                         const char *format, ...)
{
    char what[256];
    va_list arguments;

    if (error == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    apw_error_set(error, "%s%s%s: %s", error->text, error->text[0] != '\0' ? "; " : "", server->uri,
                  what);
}

void apw_connection_close(struct apw_connection **connection)
{
    struct apw_connection *closing = *connection;

    *connection = NULL;
    if (closing == NULL)
        return;
    /* Sends the goodbye only if that takes no wait, and never from a child. */
    if (closing->owner != getpid())
        closing->transport.is_abandoned = true;
    closing->transport.deadline = 0;
    if (closing->ld != NULL)
        ldap_unbind_ext(closing->ld, NULL, NULL);
    if (closing->transport.fd >= 0)
        close(closing->transport.fd);
    free(closing);
}

static int open_transport(struct apw_connection *connection, struct apw_error *error)
{
    const LDAPURLDesc *url = connection->server->url;
    const char *host = url->lud_host == NULL ? "" : url->lud_host;
    char port[8];

    if (strcmp(url->lud_scheme, "ldapi") == 0)
        return apw_transport_open_unix(&connection->transport,
                                       *host == '\0' ? ldapi_default_path : host, error);
    snprintf(port, sizeof port, "%d", url->lud_port);
    return apw_transport_open_tcp(&connection->transport, *host == '\0' ? "localhost" : host, port,
                                  error);
}

/* Puts libldap on top of the connected socket. */
static int attach(struct apw_connection *connection, const struct apw_connection_settings *settings)
{
    ber_len_t maximum = INCOMING_BYTES_MAX;
    Sockbuf *sockbuf = NULL;

    if (ldap_init_fd(connection->transport.fd, LDAP_PROTO_EXT, connection->server->uri,
                     &connection->ld) != LDAP_SUCCESS)
        return -1;
    if (ldap_get_option(connection->ld, LDAP_OPT_SOCKBUF, &sockbuf) != 0 || sockbuf == NULL ||
        ber_sockbuf_add_io(sockbuf, &apw_transport_io, LBER_SBIOD_LEVEL_PROVIDER,
                           &connection->transport) != 0 ||
        ber_sockbuf_add_io(sockbuf, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER, NULL) !=
            0 ||
        apw_handle_set_options(connection->ld, settings->tls_min) != 0)
        return -1;
    ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &maximum);
    if (settings->tls_context != NULL &&
        ldap_set_option(connection->ld, LDAP_OPT_X_TLS_CTX, settings->tls_context) != 0)
        return -1;
    return 0;
}

void apw_connection_note_failure(struct apw_error *error, const struct apw_connection *connection,
                                 const char *what)
{
    int code = LDAP_OTHER;
    char *detail = NULL;

    ldap_get_option(connection->ld, LDAP_OPT_RESULT_CODE, &code);
    ldap_get_option(connection->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    apw_connection_note(error, connection->server, "%s: %s%s%s", what, ldap_err2string(code),
                        detail != NULL && *detail != '\0' ? ": " : "",
                        detail != NULL ? detail : "");
    ldap_memfree(detail);
}

/* Whether there are bytes that no longer wait in the socket: read ahead, or the rest of a TLS
 * record. */
static bool has_read_ahead(const struct apw_connection *connection)
{
    Sockbuf *sockbuf = NULL;

    return ldap_get_option(connection->ld, LDAP_OPT_SOCKBUF, &sockbuf) == 0 && sockbuf != NULL &&
           ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_DATA_READY, NULL) > 0;
}

/* Waits without libldap, which uses a clock that may jump. ldap_result() returns after a message
 * with another ID, even if it has read more than that. */
LDAPMessage *apw_connection_next_message(struct apw_connection *connection, int message_id,
                                         const char *what, struct apw_error *error)
{
    struct timeval at_once = {0, 0};
    LDAPMessage *message = NULL;
    int type;

    do
        type = ldap_result(connection->ld, message_id, LDAP_MSG_ONE, &at_once, &message);
    while (type == 0 && (has_read_ahead(connection) ||
                         apw_transport_wait_readable(&connection->transport) == 0));
    if (type > 0)
        return message;
    if (type == 0) {
        apw_connection_note(error, connection->server, "%s: no answer in time", what);
    } else {
        apw_connection_note_failure(error, connection, what);
    }
    return NULL;
}

int apw_connection_read_outcome(struct apw_connection *connection, LDAPMessage *message,
                                struct apw_connection_outcome *outcome_r)
{
    char *diagnostic = NULL;
    int status = ldap_parse_result(connection->ld, message, &outcome_r->code, NULL, &diagnostic,
                                   NULL, &outcome_r->controls, 1);

    if (status != LDAP_SUCCESS)
        outcome_r->code = LDAP_DECODING_ERROR;
    if (outcome_r->code != LDAP_SUCCESS || (diagnostic != NULL && *diagnostic != '\0'))
        snprintf(outcome_r->text, sizeof outcome_r->text, "%s (%d)%s%s",
                 ldap_err2string(outcome_r->code), outcome_r->code,
                 diagnostic != NULL && *diagnostic != '\0' ? ": " : "",
                 diagnostic != NULL ? diagnostic : "");
    else
        strcpy(outcome_r->text, "Success (0)");
    ldap_memfree(diagnostic);
    return status == LDAP_SUCCESS ? 0 : -1;
}

int apw_connection_wait_outcome(struct apw_connection *connection, int message_id, int type,
                                const char *what, struct apw_connection_outcome *outcome_r,
                                struct apw_error *error)
{
    LDAPMessage *message = apw_connection_next_message(connection, message_id, what, error);

    *outcome_r = (struct apw_connection_outcome){.code = LDAP_OTHER};
    if (message == NULL)
        return -1;
    if (ldap_msgtype(message) != type) {
        ldap_msgfree(message);
        apw_connection_note(error, connection->server, "%s: the server answered something else",
                            what);
        return -1;
    }
    if (apw_connection_read_outcome(connection, message, outcome_r) != 0) {
        apw_connection_note(error, connection->server, "%s: %s", what, outcome_r->text);
        return -1;
    }
    return 0;
}

bool apw_connection_is_gone(int code)
{
    return code == LDAP_BUSY || code == LDAP_UNAVAILABLE;
}

static int send_start_tls(struct apw_connection *connection, struct apw_error *error)
{
    struct apw_connection_outcome outcome;
    int message_id;

    if (ldap_start_tls(connection->ld, NULL, NULL, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, "StartTLS");
        return -1;
    }
    if (apw_connection_wait_outcome(connection, message_id, LDAP_RES_EXTENDED, "StartTLS", &outcome,
                                    error) != 0)
        return -1;
    ldap_controls_free(outcome.controls);
    if (outcome.code == LDAP_SUCCESS)
        return 0;
    apw_connection_note(error, connection->server, "StartTLS: %s", outcome.text);
    return -1;
}

static int secure(struct apw_connection *connection, const struct apw_connection_settings *settings,
                  struct apw_error *error)
{
    const char *scheme = connection->server->url->lud_scheme;

    if (strcmp(scheme, "ldaps") != 0) {
        if (strcmp(scheme, "ldap") != 0 || !settings->start_tls)
            return 0;
        if (send_start_tls(connection, error) != 0)
            return -1;
    }
    if (ldap_install_tls(connection->ld) == LDAP_SUCCESS && ldap_tls_inplace(connection->ld) == 1)
        return 0;
    if (connection->transport.is_timed_out)
        apw_connection_note(error, connection->server, "TLS: no answer in time");
    else {
        apw_connection_note_failure(error, connection, "TLS");
        if (error != NULL)
            apw_error_set(error, "%s; check the certificate, its name and tls_cacert", error->text);
    }
    return -1;
}

struct apw_connection *apw_connection_open(const struct apw_connection_settings *settings,
                                           struct apw_server *server, int64_t deadline,
                                           struct apw_error *error)
{
    struct apw_connection *connection = calloc(1, sizeof *connection);
    struct apw_error detail = {""};

    if (connection == NULL) {
        apw_connection_note(error, server, "out of memory");
        return NULL;
    }
    connection->server = server;
    connection->owner = getpid();
    do
        connection->serial = atomic_fetch_add(&next_serial, 1);
    while (connection->serial == 0); /* stands for no connection */
    connection->transport = (struct apw_transport){
        .fd = -1,
        .timeout_ms = settings->timeout_ms,
        .is_local_only = strcmp(server->url->lud_scheme, "ldap") == 0 && !settings->start_tls,
    };
    apw_connection_renew(connection, deadline);
    if (open_transport(connection, &detail) != 0) {
        apw_connection_note(error, server, "%s", detail.text);
        goto failed;
    }
    if (attach(connection, settings) != 0) {
        apw_connection_note(error, server, "out of memory");
        goto failed;
    }
    if (secure(connection, settings, error) == 0)
        return connection;
failed:
    apw_connection_close(&connection);
    return NULL;
}

void apw_connection_renew(struct apw_connection *connection, int64_t deadline)
{
    connection->transport.deadline = deadline;
    connection->transport.may_receive = OPERATION_BYTES_MAX;
    connection->transport.is_timed_out = false;
    connection->used_at = apw_clock_monotonic_ms();
}

bool apw_connection_is_usable(const struct apw_connection *connection,
                              const struct apw_connection_settings *settings)
{
    int64_t idle_ms = apw_clock_monotonic_ms() - connection->used_at;

    return connection->owner == getpid() &&
           (settings->idle_ms == 0 || idle_ms < settings->idle_ms) && !has_read_ahead(connection) &&
           !apw_transport_is_stale(&connection->transport);
}

void apw_connection_abandon(struct apw_connection *connection)
{
    connection->transport.is_abandoned = true;
    shutdown(connection->transport.fd, SHUT_RDWR);
}
