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

/* Asks for the configuration's mfa_filter, mfa_off_filter and mfa_witness, as shown.h says. Unless
 * MFA is on or off, the error says why.
 *
 * `deadline` is a moment of apw_clock_monotonic_ms(). */
enum apw_mfa apw_mfa_read(const struct apw_world *world, const struct apw_config *config,
                          const char *dn, bool is_likely_on, int64_t deadline,
                          struct apw_error *error);

#endif
