/*
 * responder: an LDAP server that says what a test tells it to.
 *
 * A thread of the test program listens on loopback (two ports) and on a Unix socket, reads requests
 * and hands each to the test's own function. It never says anything by itself.
 */
#ifndef APW_UNIT_RESPONDER_H
#define APW_UNIT_RESPONDER_H

#include "unit.h"
#include <lber.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

/* RFC 4511, 4.2 and on: the tags of what is asked and answered. */
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
    ber_tag_t operation; /* 0 where it is no LDAP message */
    const char *bytes;   /* the whole message */
    size_t length;
    const void *row; /* as given to responder_expect() */
};

/* Answers, or does not. Returns whether the connection is to stay open. */
typedef bool (*responder_answer)(const struct request *request);

/* What came in since responder_expect(). */
struct seen {
    int connections[RESPONDER_LISTENERS];
    int closed;
    int binds;
    int searches;
    int modifies;
    int unbinds;
    int others;
    char bind[RESPONDER_MESSAGE_SIZE]; /* the last bind request */
    size_t bind_length;
};

/* Starts the thread. `folder_path` is where the Unix socket comes to lie. */
void responder_start(const char *folder_path);
void responder_stop(void);

/* Runs what the test program has added, with the responder in the program's own folder. */
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

/* Drops every connection, forgets what was seen and answers like this from now on; `row` is for the
 * function alone. */
void responder_expect(responder_answer answer, const void *row);

struct seen responder_seen(void);

/* Waits until the peer has closed `count` connections; false after ten seconds. */
bool responder_wait_closed(int count);

/* ---- answers ---- */

struct control {
    const char *oid;
    const char *value;
    size_t length;
};

void responder_send(const struct request *request, const char *bytes, size_t length);

/* A result with an empty text; `control` and `referral` may be NULL. Returns true. */
bool responder_result(const struct request *request, ber_tag_t operation, int code,
                      const struct control *control, const char *referral);

/* One entry; `attributes` is name, value, name, value, … NULL. The same name again right behind is
 * a further value. */
void responder_entry(const struct request *request, const char *dn, const char *const *attributes);

#endif
