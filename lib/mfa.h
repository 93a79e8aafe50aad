/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa: whether MFA is on for an entry.
 */
#ifndef APW_MFA_H
#define APW_MFA_H

#include "error.h"
#include "world.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_mfa { APW_MFA_UNREADABLE = 0, APW_MFA_UNAVAILABLE, APW_MFA_OFF, APW_MFA_ON };

/* The directory must confirm that the entry matches `mfa_filter` or its negation; if it confirms
 * neither, the result is APW_MFA_UNREADABLE. Takes one search if `is_likely_on` is right, else two.
 * `deadline` is a moment of apw_clock_monotonic_ms(). */
enum apw_mfa apw_mfa_read(const struct apw_world *world, const char *mfa_filter, const char *dn,
                          bool is_likely_on, int64_t deadline, struct apw_error *error);

#endif
