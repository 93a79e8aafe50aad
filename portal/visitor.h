/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * visitor: what a session knows of the person who has signed in. Secret.
 */
#ifndef APW_VISITOR_H
#define APW_VISITOR_H

#include "browser_record.h"
#include "invitation.h"
#include "login.h"
#include "method.h"
#include "passkey.h"
#include "password.h"
#include "record.h"
#include "recovery.h"
#include "totp.h"
#include "web/session.h"

/* The person's proofs: the level of the session, whose owner is the DN of their entry. */
enum apw_rights {
    APW_RIGHTS_PASSWORD = 0, /* the account password */
    APW_RIGHTS_FULL,         /* and the second factor; or the single sign-on vouches for them */
};

/* A code sent by mail. It is valid for that address only. */
struct apw_mail_code {
    char code[APW_TOTP_DIGITS + 1]; /* "" for none */
    char address[APW_MAIL_ADDRESS_SIZE];
    int64_t until_ms;    /* monotonic */
    unsigned tries_left; /* 0 without a code */
};

/* A link for another device, made in this session. */
struct apw_visitor_link {
    char id[APW_ID_LENGTH + 1]; /* of the invitation; "" for none */
    char label[APW_LABEL_SIZE];
    int64_t until; /* seconds since 1970 */
    char token[APW_TOKEN_SIZE];
};

struct apw_visitor {
    char login[APW_LOGIN_SIZE]; /* canonical */
    bool is_single_sign_on;
    bool is_remembered; /* has passed no second step in this session: the browser is remembered */
    bool is_invited;    /* see invited.h: may see the new app password, and nothing else */

    /* Enrollment, or a change of the second factor. */
    bool is_choosing; /* may choose a method now */
    bool is_beginner; /* has enrolled just now, and gets the first app password next */
    bool has_pending; /* `pending` is not verified yet */
    struct apw_method pending;
    char *enrolment_code_value; /* owned; the value of the right code */
    struct apw_mail_code mail;

    char challenge[APW_PASSKEY_CHALLENGE_SIZE]; /* for a passkey */
    int64_t challenge_until_ms;                 /* monotonic; 0 without one */

    /* To remember this browser: see remembered.h. */
    char remember_cookie[APW_COOKIE_SIZE]; /* "" unless it may be asked for */
    char remember_id[APW_METHOD_ID_SIZE];
    uint8_t remember_proof[APW_BROWSER_PROOF_BYTES];

    struct apw_recovery_codes codes; /* new ones, while their page is open */
    bool is_enrolling;               /* and they were made during the enrollment */

    char asked[APW_METHOD_ID_SIZE]; /* the factor to ask for; "" for the usual one */
    struct apw_method method;       /* the second factor passed */

    /* A new app password. */
    bool has_password;
    bool is_password_shown;
    int64_t again_until_ms;              /* monotonic; until then, the same form shows it again */
    int64_t profile_until_ms;            /* monotonic */
    char profile_token[APW_COOKIE_SIZE]; /* "" without a link to a profile */
    char label[APW_LABEL_SIZE];
    char services[APW_SERVICES_SIZE]; /* "" for all */
    struct apw_password password;

    struct apw_visitor_link link;

    /* An enrollment code that the help desk has made, until it was shown. */
    char helped_login[APW_LOGIN_SIZE];         /* for whom */
    char helped_code[APW_PASSWORD_SHOWN_SIZE]; /* "" for none */

    bool is_person_paid; /* the help desk's next page of a person was charged with the button */
};

extern const struct apw_web_session_content apw_visitor_content;

void apw_visitor_forget_mail_code(struct apw_visitor *visitor);
void apw_visitor_forget_pending(struct apw_visitor *visitor);

void apw_visitor_forget_codes(struct apw_visitor *visitor);

void apw_visitor_forget_link(struct apw_visitor *visitor);
void apw_visitor_forget_helped_code(struct apw_visitor *visitor);

/* Forgets a new app password and its link. */
void apw_visitor_forget_password(struct apw_visitor *visitor);

#endif
