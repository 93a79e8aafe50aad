/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series: answers a series of searches in a test's world by single ones.
 */
#ifndef APW_UNIT_SERIES_H
#define APW_UNIT_SERIES_H

#include "ldap/search.h"

typedef enum apw_ldap_result (*series_search)(void *context, const struct apw_query *query,
                                              int64_t deadline, struct apw_entry **entries_r,
                                              struct apw_error *error);

/* In the order in which apw_search_run_series() asks. */
static inline enum apw_ldap_result series_answer(series_search search, void *context,
                                                 struct apw_search_series *series, int64_t deadline,
                                                 struct apw_error *error)
{
    struct apw_error unread;
    struct apw_search *one;

    series->asked = 0;
    do {
        one = &series->search[series->asked];
        one->result = search(context, &one->query, deadline, &one->entries,
                             series->is_together && series->asked > 0 ? &unread : error);
        series->asked++;
    } while (series->asked < series->count &&
             (series->is_together || (one->result == APW_LDAP_OK && one->entries != NULL)));
    if (series->is_together)
        one = &series->search[0];
    if (one->result != APW_LDAP_OK)
        apw_search_series_clear(series);
    return one->result;
}

#endif
