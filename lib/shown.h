/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shown: whether an entry matches a filter, or the directory shows that it does not. A negated
 * filter alone shows nothing: it also matches if an attribute is hidden or dropped by a proxy, or
 * if a group was renamed.
 */
#ifndef APW_SHOWN_H
#define APW_SHOWN_H

#include "error.h"
#include "world.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_shown_question {
    const char *name;         /* "mfa" if the keys are mfa_filter, mfa_off_filter and mfa_witness */
    const char *filter;       /* matches the entry if it is on */
    const char *off_filter;   /* matches if it is off; NULL: the negation of `filter` */
    const char *witness;      /* the DN of an entry for which it is on; NULL: none */
    struct apw_witness *seen; /* NULL: the witness is looked up each time */
};

enum apw_shown { APW_SHOWN_NEITHER = 0, APW_SHOWN_UNAVAILABLE, APW_SHOWN_OFF, APW_SHOWN_ON };

/* On takes precedence. It is off only if the entry matches `off_filter` and, if there is a witness,
 * that was seen over the same connection within APW_WITNESS_S: it must match each part of `filter`
 * and not match `off_filter`. NEITHER and UNAVAILABLE come with an error.
 *
 * Takes one search if `is_likely_on` is right, else two; two more if the witness was not seen.
 * `deadline` is a moment of apw_clock_monotonic_ms(). */
enum apw_shown apw_shown_read(const struct apw_world *world,
                              const struct apw_shown_question *question, const char *dn,
                              bool is_likely_on, int64_t deadline, struct apw_error *error);

/* Searches as world->search() does, and asks together with that whether what is found is off, which
 * takes one round trip. *is_off_r: it found one entry, and this is off as above. Otherwise nothing
 * is known yet: it may be off all the same. */
enum apw_ldap_result apw_shown_find(const struct apw_world *world,
                                    const struct apw_shown_question *question,
                                    const struct apw_query *query, int64_t deadline,
                                    struct apw_entry **entries_r, bool *is_off_r,
                                    struct apw_error *error);

#endif
