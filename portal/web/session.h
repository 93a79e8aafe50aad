/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: what a site remembers of a person from one request to the next.
 *
 * A session is found by its cookie: 256 random bits, of which only a keyed hash is kept. It ends
 * after ten minutes without a request, or as long as the site gives it, and after an hour in any
 * case. Sessions are in memory, so a restart ends them all. Forms carry a token derived from the
 * cookie; before a session begins there is a cookie, too.
 *
 * Thread-safe. A session belongs to the thread that has entered it until it leaves; other threads
 * with the same cookie wait, up to seven.
 */
#ifndef APW_SESSION_H
#define APW_SESSION_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_COOKIE_SIZE        44 /* 32 bytes in base64url, and NUL */
#define APW_WEB_SESSION_IDLE_S (10 * 60)

struct apw_web_session {
    char *owner;      /* owned; tells persons apart */
    unsigned level;   /* when there is no room, sessions of a lower level end first */
    bool is_known;    /* of a browser that is known: never ends to make room for one that is not */
    unsigned idle_s;  /* without a request, it ends after so many seconds; APW_WEB_SESSION_IDLE_S */
    bool is_crowding; /* began in place of its owner's, both in unknown browsers */
    unsigned flash;   /* a text for the next page, shown once; 0 for none */
    bool is_flash_good;
    bool is_flash_at_field; /* it is about the field of the next page */
    unsigned flash_minutes; /* the value of {minutes} in that text */
    void *content;          /* the site's own, zeroed when the session begins. Secret. */
};

/* The site's own data in a session. */
struct apw_web_session_content {
    size_t size;
    void (*clear)(void *content); /* frees what the content owns; the bytes are wiped after that */
};

struct apw_web_sessions;

/* Why a cookie enters no session. */
enum apw_web_absence {
    APW_WEB_ABSENCE_UNKNOWN = 0, /* it never did, or nothing is known of it any more */
    APW_WEB_ABSENCE_BUSY,        /* too many threads wait for it */
    APW_WEB_ABSENCE_IDLE,        /* it ended without a request for too long */
    APW_WEB_ABSENCE_OLD,         /* it ended after an hour */
    APW_WEB_ABSENCE_CROWDED,     /* it ended because its owner had too many */
};

/* `content` is borrowed. */
int apw_web_sessions_new(const struct apw_web_session_content *content,
                         struct apw_web_sessions **sessions_r, struct apw_error *error);
void apw_web_sessions_free(struct apw_web_sessions **sessions);

/* Enters the session of that cookie; NULL if there is none, and *why_r, which may be NULL, says
 * why. `now_ms` is monotonic. */
struct apw_web_session *apw_web_session_enter(struct apw_web_sessions *sessions, const char *cookie,
                                              int64_t now_ms, enum apw_web_absence *why_r);

/* The seconds after which an entered session ends if no other request comes. *is_last_r: then the
 * hour is over, and a request would not help. */
unsigned apw_web_session_left_s(struct apw_web_sessions *sessions,
                                const struct apw_web_session *session, int64_t now_ms,
                                bool *is_last_r);

void apw_web_session_leave(struct apw_web_sessions *sessions, struct apw_web_session *session);

/* The person who asks for a session. */
struct apw_web_session_asker {
    const char *owner;
    const char *network;
    bool is_known;
};

/* Begins a session at level 0, enters it and makes its cookie. If there is no room, it ends the
 * session with the lowest level and, among those, the one idle longest. An owner who has too many
 * of the same kind, known or not, loses one of their own: of the network that has most of them.
 * NULL without memory, or if no session may end for this one. */
struct apw_web_session *apw_web_session_begin(struct apw_web_sessions *sessions,
                                              const struct apw_web_session_asker *asker,
                                              int64_t now_ms, char cookie_r[APW_COOKIE_SIZE]);

/* Gives an entered session a new cookie; the old one becomes invalid. Call it with each rise of the
 * level. */
void apw_web_session_renew(struct apw_web_sessions *sessions, struct apw_web_session *session,
                           char cookie_r[APW_COOKIE_SIZE]);

/* Ends an entered session. */
void apw_web_session_end(struct apw_web_sessions *sessions, struct apw_web_session *session);

/* Makes 256 random bits. */
void apw_web_session_make_cookie(char cookie_r[APW_COOKIE_SIZE]);

/* The token for forms that come with this cookie. */
void apw_web_sessions_token(const struct apw_web_sessions *sessions, const char *cookie,
                            char token_r[APW_COOKIE_SIZE]);
bool apw_web_sessions_token_is_right(const struct apw_web_sessions *sessions, const char *cookie,
                                     const char *token);

#endif
