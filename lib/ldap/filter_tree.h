/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_tree: what follows from the parts of a search filter (RFC 4515) that apw_filter_check()
 * accepts, or of such a template.
 */
#ifndef APW_FILTER_TREE_H
#define APW_FILTER_TREE_H

#include <stdbool.h>

/* Whether `off` may match because an attribute that `on` reads does not have a value, which nobody
 * can tell from one that is hidden or was renamed: (&(uid=*)(!(memberOf=…))). */
bool apw_filter_tree_infers(const char *off, const char *on);

/* Whether a template may match without a comparison with any of these letters. */
bool apw_filter_tree_ignores(const char *template, const char *letters);

/* The filter, which must match in each of its parts: an "or" becomes an "and". One that lists
 * values of a single attribute, none of them a DN, stays: an entry may be able to have one only.
 * The caller frees the result, which is NULL without memory. */
char *apw_filter_tree_match_all(const char *filter);

#endif
