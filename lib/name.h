/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name: the name that an accepted login gets, by which the mail server finds the mailbox.
 *
 * Without login_attribute it is the name as typed. Otherwise it is a value of the entry, and that
 * must lead back to the entry: if `sam@b.test` were accepted as `sam`, and another entry had that
 * uid, Sam would read somebody else's mail.
 */
#ifndef APW_NAME_H
#define APW_NAME_H

#include "config.h"
#include "error.h"
#include "ldap/entry.h"
#include "login.h"
#include "tags.h"
#include "world.h"
#include <stdbool.h>
#include <stdint.h>

/* How long a unique name is remembered, in seconds. */
#define APW_NAME_S 3600

/* How many names a process remembers. The directory has them, so that strangers can add no others.
 */
#define APW_NAMES_MAX 100000

enum apw_name_result {
    APW_NAME_UNAVAILABLE = 0, /* the directory gives no answer, or memory is short */
    APW_NAME_UNIQUE,
    APW_NAME_MISSING,   /* the entry has no value that can be the name */
    APW_NAME_AMBIGUOUS, /* leads to no entry, another one, or several */
};

/* The one value of config->login_attribute; of several, the one that equals `login` whatever its
 * ASCII case. UNIQUE if there is one; MISSING if not, or if it cannot be a name; else UNAVAILABLE.
 */
enum apw_name_result apw_name_choose(const struct apw_config *config, const struct apw_entry *entry,
                                     const char *login, char name_r[APW_LOGIN_SIZE],
                                     struct apw_error *error);

/* Whether config->filter finds the entry `dn`, and no other, by that name: one search, unless
 * world->names has the answer. The error says where else the name leads. */
enum apw_name_result apw_name_check(const struct apw_world *world, const struct apw_config *config,
                                    const char *dn, const char *name, int64_t deadline,
                                    struct apw_error *error);

#endif
