/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search: one search, one page by page, or a series, over one connection (RFC 4511, 4.5; RFC 2696).
 */
#ifndef APW_SEARCH_H
#define APW_SEARCH_H

#include "error.h"
#include "ldap/entry.h"
#include "ldap/result.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct berval;

enum apw_scope { APW_SCOPE_SUB = 0, APW_SCOPE_ONE, APW_SCOPE_BASE };

/* For a search of which only the DNs are wanted (RFC 4511, 4.5.1.8). */
extern const char *const apw_search_no_attributes[];

/* The parameters of a search. Borrowed. */
struct apw_query {
    const char *base;
    enum apw_scope scope;
    const char *filter;
    const char *const *attributes; /* ends in NULL */
    unsigned limit;                /* entries; 0 for no limit. Reaching it is no error. */
    const char *limit_advice;      /* for the error if the server has a limit; NULL: our files */
};

/* A search on its way. The entries are owned. */
struct apw_search {
    struct apw_query query;
    struct apw_entry *entries;
    size_t count;
    enum apw_ldap_result result;
    bool has_references;   /* to other servers, which are not followed */
    struct berval *cookie; /* for the next page, empty at the end; NULL unless paged */
};

/* Called for each entry, which is borrowed. Anything but 0 ends the search. */
typedef int (*apw_search_callback)(void *context, const struct apw_entry *entry);

/* A search page by page. `search.cookie` must point to an empty berval, which the caller frees. */
struct apw_search_pages {
    struct apw_search search;
    int page_ms;
    apw_search_callback callback;
    void *context;
    bool was_called; /* for an entry, which must not be passed on again */
    bool is_ended;   /* by the callback */
};

#define APW_SEARCH_SERIES_MAX 4

/* Searches over one connection. Unless together, one follows another, and the series ends early at
 * the first that finds nothing. Together, all are sent before the first is answered; then search[0]
 * has the result of the series, and the others have theirs without an error. The entries are owned:
 * apw_search_series_clear(). */
struct apw_search_series {
    size_t count;
    bool is_together;
    struct apw_search search[APW_SEARCH_SERIES_MAX];
    size_t asked;        /* how many were sent; 0 if there was no connection */
    uint32_t connection; /* the serial number of the one that answered */
};

void apw_search_series_clear(struct apw_search_series *series);

/* All are an apw_operation. The argument is a struct apw_search, a struct apw_search_pages, or a
 * struct apw_search_series. */
enum apw_connection_state apw_search_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error);
enum apw_connection_state apw_search_run_pages(struct apw_connection *connection, void *argument,
                                               enum apw_ldap_result *result_r,
                                               struct apw_error *error);
enum apw_connection_state apw_search_run_series(struct apw_connection *connection, void *argument,
                                                enum apw_ldap_result *result_r,
                                                struct apw_error *error);

#endif
