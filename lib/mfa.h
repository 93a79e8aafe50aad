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

/* Whose MFA. Borrowed. */
struct apw_mfa_subject {
    const char *dn;        /* of the user's entry */
    const char *id;        /* in the store; NULL without one */
    const char *stored_dn; /* of the entry there; NULL if there is none */
};

/* Asks for the configuration's mfa_filter, mfa_off_filter and mfa_witness, as shown.h says: about
 * the entry in the store if the flag is kept there (store_mfa), else about the user's. Unless MFA
 * is on or off, the error says why.
 *
 * `deadline` is a moment of apw_clock_monotonic_ms(). */
enum apw_mfa apw_mfa_read(const struct apw_world *world, const struct apw_config *config,
                          const struct apw_mfa_subject *subject, bool is_likely_on,
                          int64_t deadline, struct apw_error *error);

/* Searches for the user's entry and, in the same round trip, whether MFA is off for it. Only if the
 * flag is kept there, and not in the store. As apw_shown_find(). */
enum apw_ldap_result apw_mfa_find(const struct apw_world *world, const struct apw_config *config,
                                  const struct apw_query *query, int64_t deadline,
                                  struct apw_entry **entries_r, bool *is_off_r,
                                  struct apw_error *error);

#endif
