/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * announcement: MFA that is announced, and enforced from appPasswordMfaEnforceFrom on. Pure.
 */
#ifndef APW_ANNOUNCEMENT_H
#define APW_ANNOUNCEMENT_H

#include "error.h"
#include "ldap/entry.h"
#include <stdbool.h>
#include <stdint.h>

/* How far a clock may be off, in seconds. */
#define APW_ANNOUNCEMENT_TOLERANCE_S 86400

/* Whether MFA is only announced at `now`, in seconds since 1970; -1 if the date is invalid. An
 * entry without a date, or no entry (NULL), announces nothing. */
int apw_announcement_read(const struct apw_entry *entry, int64_t now, bool *is_announced_r,
                          struct apw_error *error);

/* Whether `now` must be wrong: it is before this software was made, or more than a day before a
 * date in the entry. Enforced MFA would then look announced. */
bool apw_announcement_is_clock_behind(const struct apw_entry *entry, int64_t now);

#endif
