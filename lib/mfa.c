/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa.h"
#include "shown.h"
#include "store.h"
#include <stdio.h>
#include <stdlib.h>

static struct apw_shown_question question_of(const struct apw_world *world,
                                             const struct apw_config *config)
{
    return (struct apw_shown_question){.name = "mfa",
                                       .filter = config->mfa_filter,
                                       .off_filter = config->mfa_off_filter,
                                       .witness = config->mfa_witness,
                                       .seen = world->mfa_witness};
}

static enum apw_mfa read_entry(const struct apw_world *world, const struct apw_config *config,
                               const char *dn, bool is_likely_on, int64_t deadline,
                               struct apw_error *error)
{
    const struct apw_shown_question question = question_of(world, config);

    switch (apw_shown_read(world, &question, dn, is_likely_on, deadline, error)) {
    case APW_SHOWN_ON:
        return APW_MFA_ON;
    case APW_SHOWN_OFF:
        return APW_MFA_OFF;
    case APW_SHOWN_UNAVAILABLE:
        return APW_MFA_UNAVAILABLE;
    case APW_SHOWN_NEITHER:
        break;
    }
    return APW_MFA_UNREADABLE;
}

/* Matches the witness if it also names id_attribute: by another attribute, the store would seem to
 * have none of the users. The caller frees it; NULL without memory. */
static char *witness_filter(const struct apw_config *config)
{
    char *filter;

    return asprintf(&filter, "(&%s(description=%s))", config->mfa_filter,
                    config->store.id_attribute->name) >= 0
               ? filter
               : NULL;
}

/* Judges the answers about the witness and about the user's entry. */
static enum apw_mfa judge_absence(const struct apw_config *config, const char *id,
                                  enum apw_ldap_result result,
                                  const struct apw_search_series *series, struct apw_error *error)
{
    if (result == APW_LDAP_UNAVAILABLE)
        return APW_MFA_UNAVAILABLE;
    if (result == APW_LDAP_OK && series->asked == series->count) {
        if (series->search[1].entries == NULL)
            return APW_MFA_OFF;
        apw_error_set(error, "the entry of %s has just been added to the store", id);
        return APW_MFA_UNREADABLE;
    }
    apw_error_set(error,
                  "mfa_witness %s is not in the store with MFA on and the description %s, which is "
                  "id_attribute%s%s",
                  config->mfa_witness, config->store.id_attribute->name,
                  result == APW_LDAP_OK ? "" : ": ", result == APW_LDAP_OK ? "" : error->text);
    return APW_MFA_UNREADABLE;
}

/* Off only if the store shows, over one connection, the witness and then no entry of this user: an
 * empty store shows no witness. */
static enum apw_mfa confirm_absence(const struct apw_world *store, const struct apw_config *config,
                                    const char *id, int64_t deadline, struct apw_error *error)
{
    char filter[APW_STORE_FILTER_SIZE];
    char *of_witness = witness_filter(config);
    struct apw_search_series series = {.count = 2,
                                       .search = {{.query = {.base = config->mfa_witness,
                                                             .scope = APW_SCOPE_BASE,
                                                             .filter = of_witness,
                                                             .attributes = apw_search_no_attributes,
                                                             .limit = 1}},
                                                  {.query = {.base = config->store.base,
                                                             .scope = APW_SCOPE_ONE,
                                                             .filter = filter,
                                                             .attributes = apw_search_no_attributes,
                                                             .limit = 1}}}};
    enum apw_ldap_result result;
    enum apw_mfa mfa;

    if (of_witness == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MFA_UNAVAILABLE;
    }
    apw_store_filter(id, filter);
    result = store->search_series(store->context, &series, deadline, error);
    mfa = judge_absence(config, id, result, &series, error);
    apw_search_series_clear(&series);
    free(of_witness);
    return mfa;
}

enum apw_mfa apw_mfa_read(const struct apw_world *world, const struct apw_config *config,
                          const struct apw_mfa_subject *subject, bool is_likely_on,
                          int64_t deadline, struct apw_error *error)
{
    if (!config->store.has_mfa)
        return read_entry(world, config, subject->dn, is_likely_on, deadline, error);
    if (subject->stored_dn != NULL)
        return read_entry(world->store, config, subject->stored_dn, is_likely_on, deadline, error);
    return config->store.is_mfa_off_by_default
               ? confirm_absence(world->store, config, subject->id, deadline, error)
               : APW_MFA_ON;
}

enum apw_ldap_result apw_mfa_find(const struct apw_world *world, const struct apw_config *config,
                                  const struct apw_query *query, int64_t deadline,
                                  struct apw_entry **entries_r, bool *is_off_r,
                                  struct apw_error *error)
{
    const struct apw_shown_question question = question_of(world, config);

    return apw_shown_find(world, &question, query, deadline, entries_r, is_off_r, error);
}
