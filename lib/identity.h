/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity: who binds to the directory. Holds a password: apw_identity_wipe().
 */
#ifndef APW_IDENTITY_H
#define APW_IDENTITY_H

#include "error.h"
#include <stdbool.h>

/* GSSAPI binds with the Kerberos ticket of the calling user; only the command does. ANONYMOUS shows
 * what strangers may see; no configuration can ask for it. */
enum apw_bind_method {
    APW_BIND_SIMPLE = 0,
    APW_BIND_EXTERNAL,
    APW_BIND_GSSAPI,
    APW_BIND_ANONYMOUS,
};

struct apw_identity {
    enum apw_bind_method method;
    char *dn;            /* NULL unless SIMPLE */
    char *password;      /* NULL unless SIMPLE */
    char *password_file; /* that it was read from, or NULL */
};

/* Sets and checks the value of binddn. */
int apw_identity_set_dn(struct apw_identity *identity, const char *value, struct apw_error *error);

/* Sets the value of bindpw_file and reads the password at once. */
int apw_identity_set_password_file(struct apw_identity *identity, const char *value,
                                   struct apw_error *error);

/* Fails unless DN and password are there, or neither with another method. `path` is the file to
 * name. */
int apw_identity_check(const struct apw_identity *identity, const char *path,
                       struct apw_error *error);

/* Whether it names somebody: a DN, or a method that needs none. */
bool apw_identity_is_set(const struct apw_identity *identity);

/* Whether only the password is missing, which a person then types. */
bool apw_identity_needs_password(const struct apw_identity *identity);

/* Who it is, for people: the DN, or the SASL mechanism. */
const char *apw_identity_name(const struct apw_identity *identity);

/* Copies method, DN and password. */
int apw_identity_copy(const struct apw_identity *identity, struct apw_identity *copy_r,
                      struct apw_error *error);
void apw_identity_wipe(struct apw_identity *identity); /* frees its members, too */

#endif
