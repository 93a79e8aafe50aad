/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_tree: analyzes the parts of a search filter (RFC 4515), or of a template, that
 * apw_filter_check() accepts.
 */
#ifndef APW_FILTER_TREE_H
#define APW_FILTER_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the filter may match a user of whom nothing can be seen but the kind of the entry and the
 * names that every user has: a negation, "(uid=*)", or "(objectCategory=person)". */
bool apw_filter_tree_shows_nothing(const char *filter);

/* Whether `off` may match because an entry lacks a value that `on` reads, as
 * (&(uid=*)(!(memberOf=…))) does: a hidden attribute or a renamed group looks the same. */
bool apw_filter_tree_infers(const char *off, const char *on);

/* Whether the filter compares this attribute anywhere. */
bool apw_filter_tree_reads(const char *filter, const char *attribute);

/* Whether it compares these attributes, which end in NULL, and no others. */
bool apw_filter_tree_reads_only(const char *filter, const char *const *attributes);

/* Whether one of these letters follows a percent sign. */
bool apw_filter_tree_has_letter(const char *text, size_t length, const char *letters);

/* Whether a template may match without a comparison with any of these letters. */
bool apw_filter_tree_ignores(const char *template, const char *letters);

/* A copy of the filter in which each part must match: an "or" becomes an "and". An "or" of values
 * of one attribute, none of them a DN, stays, because an entry may be able to have only one of
 * them. The caller frees the result, which is NULL without memory. */
char *apw_filter_tree_match_all(const char *filter);

#endif
