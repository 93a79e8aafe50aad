/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa.h"
#include "ldap/filter.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether the entry matches, by a search of it alone. */
static enum apw_ldap_result entry_matches(const struct apw_world *world, const char *dn,
                                          const char *filter, int64_t deadline, bool *matches_r,
                                          struct apw_error *error)
{
    static const char *const no_attributes[] = {"1.1", NULL}; /* RFC 4511, 4.5.1.8 */
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = filter,
                                    .attributes = no_attributes,
                                    .limit = 1};
    struct apw_entry *entries = NULL;
    enum apw_ldap_result result = world->search(world->context, &query, deadline, &entries, error);

    if (entries != NULL && strcasecmp(entries->dn, dn) != 0) {
        apw_error_set(error, "asked for %s, the directory answered with %s", dn, entries->dn);
        result = APW_LDAP_UNAVAILABLE;
    }
    *matches_r = entries != NULL;
    apw_entries_free(&entries);
    return result;
}

enum apw_mfa apw_mfa_read(const struct apw_world *world, const char *mfa_filter, const char *dn,
                          bool is_likely_on, int64_t deadline, struct apw_error *error)
{
    char *negated = apw_filter_negate(mfa_filter);
    enum apw_mfa mfa = APW_MFA_UNREADABLE;

    if (negated == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MFA_UNAVAILABLE;
    }
    for (int turn = 0; turn < 2 && mfa == APW_MFA_UNREADABLE; turn++) {
        bool asks_for_on = (turn == 0) == is_likely_on, matches;

        if (entry_matches(world, dn, asks_for_on ? mfa_filter : negated, deadline, &matches,
                          error) != APW_LDAP_OK)
            mfa = APW_MFA_UNAVAILABLE;
        else if (matches)
            mfa = asks_for_on ? APW_MFA_ON : APW_MFA_OFF;
    }
    free(negated);
    if (mfa == APW_MFA_UNREADABLE)
        apw_error_set(error,
                      "the directory answers neither %s nor its negation for this entry; "
                      "check the schema and the right to search the attribute",
                      mfa_filter);
    return mfa;
}
