/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * invitation: a single-use link whose opener gets a new app password. The app password is made
 * when the link is used; until then there is only this value of appPasswordMfaMethod:
 *
 *   invitation id=k7q2 created=20261129101500Z until=20261130101500Z hash=<base64url>
 *   factor=1f2e3d4c expires=20270522000000Z services=smtp,imap from=192.0.2.0/24 label=My phone
 *
 * `factor`, `expires`, `services` and `from` may be missing. `factor` is the second factor of the
 * visit that made it: without that factor the link does not work. The label is last.
 */
#ifndef APW_INVITATION_H
#define APW_INVITATION_H

#include "error.h"
#include "ldap/modify.h"
#include "login.h"
#include "method.h"
#include "record.h"
#include "token.h"
#include "user_entry.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APW_INVITATION_ATTRIBUTE  "appPasswordMfaMethod"
#define APW_INVITATIONS_MAX       10 /* of one user */
#define APW_INVITATION_VALUE_SIZE 5120

struct apw_invitation {
    int64_t until;                   /* works while now < until */
    char hash[APW_TOKEN_SIZE];       /* of the link's token */
    char factor[APW_METHOD_ID_SIZE]; /* "" for none */
    struct apw_record record;        /* of the app password to be made, but for its hash; id and
                                        created are the invitation's */
};

bool apw_invitation_is_value(const char *value, size_t length);
int apw_invitation_parse(const char *value, size_t length, struct apw_invitation *invitation_r,
                         struct apw_error *error);

/* Fails unless apw_invitation_parse() would read the same struct back. */
int apw_invitation_format(const struct apw_invitation *invitation,
                          char value_r[APW_INVITATION_VALUE_SIZE], struct apw_error *error);

/* Users of these functions must have been read `with_enrolment`. */

size_t apw_invitation_count(const struct apw_user *user); /* expired and damaged ones, too */

/* Plans to delete them all; returns their number. `changes_r` has room for user->method.count, and
 * borrows from the user. */
size_t apw_invitation_plan_removal(const struct apw_user *user, struct apw_change *changes_r);

/* The value of the invitation with that id, or NULL; borrowed from the user. It may be damaged. */
const char *apw_invitation_find_id(const struct apw_user *user, const char *id);

/* The value of the invitation whose link has that token and works at `now`, or NULL. */
const char *apw_invitation_find_token(const struct apw_user *user, const char *token, int64_t now,
                                      struct apw_invitation *invitation_r);

/* ---- the link ---- */

#define APW_INVITATION_PATH      "device/" /* below the page's address */
#define APW_INVITATION_CODE_SIZE (APW_LOGIN_BYTES_MAX * 4 / 3 + 2 + 1 + APW_TOKEN_SIZE)

/* The last part of the link, "<login in base64url>/<token>": the token alone would not say whose
 * entry has it. */
void apw_invitation_write_code(const char *login, const char token[APW_TOKEN_SIZE],
                               char code_r[APW_INVITATION_CODE_SIZE]);

/* The whole link below the page's address `url`, which has no slash at the end; NULL without
 * memory. Secret: the caller wipes and frees it. */
char *apw_invitation_write_link(const char *url, const char *login,
                                const char token[APW_TOKEN_SIZE]);

/* -1 if it is none. */
int apw_invitation_read_code(const char *code, char login_r[APW_LOGIN_SIZE],
                             char token_r[APW_TOKEN_SIZE]);

#endif
