/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mfa: whether MFA is on for an entry.
 */
#ifndef APW_MFA_H
#define APW_MFA_H

#include "config.h"
#include "error.h"
#include "world.h"
#include <stdbool.h>
#include <stdint.h>

enum apw_mfa { APW_MFA_UNREADABLE = 0, APW_MFA_UNAVAILABLE, APW_MFA_OFF, APW_MFA_ON };

/* On takes precedence: it is on if the entry matches mfa_filter. It is off only if the directory
 * shows that: the entry matches mfa_off_filter, or the negation of mfa_filter if there is none; and
 * over the connection that answered, mfa_witness was seen to match mfa_filter and not to match
 * that, within APW_WITNESS_S. Otherwise the result is APW_MFA_UNREADABLE, and the error says why.
 *
 * Takes one search if `is_likely_on` is right, else two; two more if the witness was not seen.
 * `deadline` is a moment of apw_clock_monotonic_ms(). */
enum apw_mfa apw_mfa_read(const struct apw_world *world, const struct apw_config *config,
                          const char *dn, bool is_likely_on, int64_t deadline,
                          struct apw_error *error);

#endif
