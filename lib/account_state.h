/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_state: whether an account may sign in at all.
 */
#ifndef APW_ACCOUNT_STATE_H
#define APW_ACCOUNT_STATE_H

#include "config.h"
#include "error.h"
#include "ldap/directory.h"
#include "world.h"
#include <stdint.h>

enum apw_account_state {
    APW_ACCOUNT_STATE_UNREADABLE = 0, /* an attribute that may end it is invalid */
    APW_ACCOUNT_STATE_ACTIVE,
    APW_ACCOUNT_STATE_ENDED, /* by an administrator, or by its dates */
};

/* Every attribute by which a directory ends an account: name them in the search. */
#define APW_ACCOUNT_STATE_ATTRIBUTES 8
extern const char *const apw_account_state_attributes[APW_ACCOUNT_STATE_ATTRIBUTES];

/* Reads the entry's attributes, with any options; `now` in seconds since 1970. A temporary lock
 * does not count. UNREADABLE also if the entry lacks an attribute that every user of such a
 * directory has. Unless ACTIVE, the error names the attribute. */
enum apw_account_state apw_account_state_read(const struct apw_entry *entry,
                                              enum apw_directory_type type, int64_t now,
                                              struct apw_error *error);

/* Asks for the configuration's disabled_filter, which is set: ACTIVE only if the directory shows
 * that it does not match the entry (see shown.h). */
enum apw_account_state apw_account_state_ask(const struct apw_world *world,
                                             const struct apw_config *config, const char *dn,
                                             int64_t deadline, struct apw_error *error);

#endif
