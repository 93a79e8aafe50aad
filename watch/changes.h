/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changes: which entries of a directory have changed lately, by the time that the directory itself
 * writes into each entry.
 */
#ifndef APW_CHANGES_H
#define APW_CHANGES_H

#include "config.h"
#include "error.h"
#include "table.h"
#include <stdbool.h>
#include <stdint.h>

/* How far the servers' clocks may differ, and how late a replica may be, in seconds. Older changes
 * are noticed only when a user's turn comes. */
#define APW_CHANGES_OVERLAP_S 60

/* More than so many in one search: look at everybody instead. */
#define APW_CHANGES_MAX 5000

/* Borrows everything. */
struct apw_changes {
    struct apw_directory *directory;
    enum apw_directory_type type;
    const char *base;
    enum apw_scope scope;
    int page_ms;
    int64_t newest;  /* the newest change seen; at first, a moment before which none matters */
    int64_t seen_ms; /* when it was seen, by apw_clock_monotonic_ms() */
};

/* From when on to search, in seconds since 1970. The servers' clock counts as long as it is behind
 * `now`: a single date in the future must not hide what comes after it. It was at least `newest`
 * `elapsed_s` ago. */
int64_t apw_changes_since(int64_t newest, int64_t elapsed_s, int64_t now);

/* Writes the filter, like "(modifyTimestamp>=20261122101500Z)". */
#define APW_CHANGES_FILTER_SIZE 64
int apw_changes_filter(enum apw_directory_type type, int64_t since,
                       char filter_r[APW_CHANGES_FILTER_SIZE]);

/* Makes a look due at the users whose entries have changed. Fails if the directory gives no
 * answer. */
int apw_changes_read(struct apw_changes *changes, int64_t now, struct apw_table *table,
                     const struct apw_table_index *index, struct apw_error *error);

/* Whether the directory shows this identity the time of the last change of any entry. Fails if the
 * directory gives no answer, or has no entry yet, as a new store. */
int apw_changes_check(const struct apw_changes *changes, int64_t deadline, bool *is_shown_r,
                      struct apw_error *error);

#endif
