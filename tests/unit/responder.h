/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * responder: an LDAP server with answers from the test.
 *
 * A thread listens on two loopback ports and on a Unix socket, reads requests and passes each to
 * the test's function. It sends nothing by itself.
 */
#ifndef APW_UNIT_RESPONDER_H
#define APW_UNIT_RESPONDER_H

#include "unit.h"
#include <lber.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

/* Tags of requests and responses (RFC 4511, 4.2 ff.). */
enum {
    BIND_REQUEST = 0x60,
    BIND_RESPONSE = 0x61,
    UNBIND_REQUEST = 0x42,
    SEARCH_REQUEST = 0x63,
    SEARCH_ENTRY = 0x64,
    SEARCH_DONE = 0x65,
    SEARCH_REFERENCE = 0x73,
    MODIFY_REQUEST = 0x66,
    MODIFY_RESPONSE = 0x67,
    ADD_REQUEST = 0x68,
    ADD_RESPONSE = 0x69,
    EXTENDED_REQUEST = 0x77,
    EXTENDED_RESPONSE = 0x78,
};

#define RESPONDER_PORTS        2
#define RESPONDER_LISTENERS    (RESPONDER_PORTS + 1) /* the last is the Unix socket */
#define RESPONDER_MESSAGE_SIZE 4096

struct request {
    int fd;
    int listener;
    int number; /* on this connection, from 1 */
    ber_int_t id;
    ber_tag_t operation; /* 0: not an LDAP message */
    const char *bytes;   /* the whole message */
    size_t length;
    const void *row; /* as given to responder_expect() */
};

/* May answer. Returns false to close the connection. */
typedef bool (*responder_answer)(const struct request *request);

/* Requests since responder_expect(). */
struct seen {
    int connections[RESPONDER_LISTENERS];
    int closed;
    int binds;
    int searches;
    int modifies;
    int adds;
    int unbinds;
    int others;
    char bind[RESPONDER_MESSAGE_SIZE]; /* the last bind request */
    size_t bind_length;
};

/* Starts the thread. The Unix socket is created in `folder_path`. */
void responder_start(const char *folder_path);
void responder_stop(void);

/* Runs the program's tests with the responder; its socket is in the program's folder. */
static inline int responder_unit_run(void)
{
    char path[UNIT_PATH_SIZE];
    int status;

    if (sodium_init() < 0)
        return EXIT_FAILURE;
    responder_start(unit_path("", path));
    status = unit_run();
    responder_stop();
    return status;
}

/* "ldap://127.0.0.1:…" or "ldapi://…"; borrowed. */
const char *responder_uri(int listener);

/* Closes all connections, also those that wait to be accepted, resets the counters and uses this
 * function from now on. `row` is passed to it unchanged. */
void responder_expect(responder_answer answer, const void *row);

struct seen responder_seen(void);

/* Waits until the peer has closed `count` connections; false after a minute. */
bool responder_wait_closed(int count);

/* ---- answers ---- */

struct control {
    const char *oid;
    const char *value;
    size_t length;
};

/* False if the client has closed the connection. */
bool responder_send(const struct request *request, const char *bytes, size_t length);

/* A result with an empty text; `control` and `referral` may be NULL. Returns true. */
bool responder_result(const struct request *request, ber_tag_t operation, int code,
                      const struct control *control, const char *referral);

/* The same with a text, which libldap calls the diagnostic message. */
bool responder_result_text(const struct request *request, ber_tag_t operation, int code,
                           const char *text);

/* One entry. `attributes` is name, value, name, value, … NULL. To add a further value, repeat the
 * name directly after it. */
void responder_entry(const struct request *request, const char *dn, const char *const *attributes);

#endif
