/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_state: whether an account may sign in at all.
 */
#ifndef APW_ACCOUNT_STATE_H
#define APW_ACCOUNT_STATE_H

#include "ldap/directory.h"
#include <stdbool.h>

/* Whether an administrator has locked the account for good: pwdAccountLockedTime in the year 0, as
 * slapo-ppolicy reads 000001010000Z, or nsAccountLock. A temporary lock does not count. */
bool apw_account_state_is_disabled(const struct apw_entry *entry);

#endif
