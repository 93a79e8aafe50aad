/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password_change: when the account password was last changed, as the directory tells. Pure.
 */
#ifndef APW_PASSWORD_CHANGE_H
#define APW_PASSWORD_CHANGE_H

#include "error.h"
#include "ldap/entry.h"
#include <stdint.h>

/* Every attribute in which a directory tells it: name them in the search. */
#define APW_PASSWORD_CHANGE_ATTRIBUTES 4
extern const char *const apw_password_change_attributes[APW_PASSWORD_CHANGE_ATTRIBUTES];

/* The newest moment that the entry has, in seconds since 1970; INT64_MAX if the directory requires
 * a change that is still to come. -1 if the entry shows none, or an invalid value: the error names
 * the attribute. */
int apw_password_change_read(const struct apw_entry *entry, int64_t *changed_r,
                             struct apw_error *error);

#endif
