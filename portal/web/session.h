/*
 * visit: what the portal knows of a person between signing in and signing out.
 *
 * A visit is found by its cookie: 256 random bits, of which the portal keeps a keyed hash only. It
 * ends when it was idle for ten minutes, and after an hour in any case. Visits are in memory, so
 * that a restart ends them all.
 * Forms carry a token that follows from the cookie; before signing in there is a cookie, too, but
 * no visit.
 *
 * Thread-safe. A visit belongs to the thread that has entered it until it leaves; others who come
 * with the same cookie wait.
 */
#ifndef APW_VISIT_H
#define APW_VISIT_H

#include "error.h"
#include "login.h"
#include "method.h"
#include "password.h"
#include "totp.h"
#include "web/text.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_COOKIE_SIZE 44 /* 32 bytes in base64url, and NUL */

/* What somebody has shown. Each rise comes with a new cookie. */
enum apw_rights {
    APW_RIGHTS_PASSWORD = 0, /* the account password */
    APW_RIGHTS_FULL,         /* and the second factor; or the site's single sign-on vouches */
};

/* A code that went out by mail. It shows who can read that address, and nothing about others. */
struct apw_mail_code {
    char code[APW_TOTP_DIGITS + 1]; /* "" for none */
    char address[APW_METHOD_ADDRESS_SIZE];
    int64_t until_ms; /* monotonic */
    unsigned tries_left;
};

/* Secret. Zeroed but for who it is when it begins. */
struct apw_visit {
    char login[APW_LOGIN_SIZE]; /* as typed, canonical */
    char *dn;                   /* owned */
    enum apw_rights rights;
    bool is_single_sign_on;

    enum apw_text flash; /* said on the next page, once; APW_TEXT_NONE */
    bool is_flash_good;

    /* Enrolment, or a change of the second factor. */
    bool is_choosing; /* may choose a method now */
    bool has_pending; /* `pending` waits to be verified */
    struct apw_method pending;
    char *enrolment_code_value; /* owned; the value of the code that was right */
    struct apw_mail_code mail;

    /* The second factor that this visit was let in by. */
    struct apw_method method;

    /* A new app password. */
    bool has_password;
    bool is_password_shown;
    int64_t profile_until_ms;
    char profile_token[APW_COOKIE_SIZE]; /* "" where there is no link */
    char label[APW_LABEL_SIZE];
    struct apw_password password;
};

struct apw_visits;

int apw_visits_new(struct apw_visits **visits_r, struct apw_error *error);
void apw_visits_free(struct apw_visits **visits);

/* The visit of that cookie, entered; NULL where there is none or it is over. */
struct apw_visit *apw_visit_enter(struct apw_visits *visits, const char *cookie, int64_t now_ms);
void apw_visit_leave(struct apw_visits *visits, struct apw_visit *visit);

/* A new one, entered, with its cookie. Where there is no room, or too many of the same person, the
 * one with the fewest rights goes, and of these the one that was idle the longest. NULL where
 * memory is short. `dn` is copied. */
struct apw_visit *apw_visit_begin(struct apw_visits *visits, const char *login, const char *dn,
                                  int64_t now_ms, char cookie_r[APW_COOKIE_SIZE]);

/* A new cookie for an entered visit; the old one is worth nothing any more. */
void apw_visit_renew(struct apw_visits *visits, struct apw_visit *visit,
                     char cookie_r[APW_COOKIE_SIZE]);

/* Ends an entered visit. */
void apw_visit_end(struct apw_visits *visits, struct apw_visit *visit);

/* Forgets a new app password and its link. */
void apw_visit_forget_password(struct apw_visit *visit);

/* 256 random bits. */
void apw_cookie_make(char cookie_r[APW_COOKIE_SIZE]);

/* The token for forms of whoever has this cookie, and whether a form has it. */
void apw_visits_token(const struct apw_visits *visits, const char *cookie,
                      char token_r[APW_COOKIE_SIZE]);
bool apw_visits_token_is_right(const struct apw_visits *visits, const char *cookie,
                               const char *token);

#endif
