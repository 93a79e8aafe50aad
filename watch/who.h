/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * who: the open sessions, as "doveadm who" lists them.
 */
#ifndef APW_WHO_H
#define APW_WHO_H

#include "error.h"
#include "network.h"
#include "service.h"
#include "verify.h"
#include <stddef.h>

/* The user field in which Dovecot 2.4 keeps by what somebody signed in: WAY:NAME, where "=2A" is an
 * asterisk, and so on. The Lua passdb sets it. */
#define APW_WHO_FIELD "user_app_password"

struct apw_who_session {
    char *name;     /* by which the user signed in: that of the field, else `username` */
    char *username; /* as Dovecot calls the user */
    char *field;    /* NULL if Dovecot does not know by what somebody signed in */
    char service[APW_SERVICE_SIZE];
    char client[APW_ADDRESS_TEXT_SIZE];
    char way[APW_WAY_SIZE]; /* of the field: an id or "account-password"; else "" */
    long pid;
};

/* Owned, sorted by name, then by everything else. */
struct apw_who {
    size_t count;
    struct apw_who_session *session;
};

/* Runs `doveadm`, at most for `limit_s`. */
int apw_who_read(const char *doveadm, int limit_s, struct apw_who *who_r, struct apw_error *error);

/* Parses the JSON that "doveadm -f json who -1" prints, in Dovecot 2.3 and 2.4. Changes `text`. */
int apw_who_parse(char *text, struct apw_who *who_r, struct apw_error *error);

int apw_who_compare(const struct apw_who_session *one, const struct apw_who_session *other);
void apw_who_free_session(struct apw_who_session *session);
void apw_who_free(struct apw_who *who);

#endif
