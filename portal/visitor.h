/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * visitor: what a session knows of the person who has signed in. Secret.
 */
#ifndef APW_VISITOR_H
#define APW_VISITOR_H

#include "login.h"
#include "method.h"
#include "password.h"
#include "record.h"
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
    char address[APW_METHOD_ADDRESS_SIZE];
    int64_t until_ms; /* monotonic */
    unsigned tries_left;
};

struct apw_visitor {
    char login[APW_LOGIN_SIZE]; /* canonical */
    bool is_single_sign_on;

    /* Enrollment, or a change of the second factor. */
    bool is_choosing; /* may choose a method now */
    bool has_pending; /* `pending` is not verified yet */
    struct apw_method pending;
    char *enrolment_code_value; /* owned; the value of the right code */
    struct apw_mail_code mail;

    struct apw_method method; /* the second factor passed */

    /* A new app password. */
    bool has_password;
    bool is_password_shown;
    int64_t profile_until_ms;
    char profile_token[APW_COOKIE_SIZE]; /* "" without a link to a profile */
    char label[APW_LABEL_SIZE];
    struct apw_password password;
};

extern const struct apw_web_session_content apw_visitor_content;

void apw_visitor_forget_mail_code(struct apw_visitor *visitor);
void apw_visitor_forget_pending(struct apw_visitor *visitor);

/* Forgets a new app password and its link. */
void apw_visitor_forget_password(struct apw_visitor *visitor);

#endif
