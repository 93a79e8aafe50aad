/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: LDAP search filters (RFC 4515) and templates of them.
 */
#ifndef APW_FILTER_H
#define APW_FILTER_H

#include "error.h"
#include <stdbool.h>

/* Expands a template: %u login, %n the part before its last '@', %d the part after it, %t is %n
 * without its "+tag", %b is %n without a leading "DOMAIN\", %% a percent sign; all escaped (RFC
 * 4515, 3). If the domain is internationalized, the filter also matches its A-labels. Returns NULL
 * without memory. The caller frees the result. */
char *apw_filter_expand(const char *template, const char *login);

/* Expands a template so that it matches the entries that some login would find: each letter becomes
 * an asterisk. Returns NULL without memory. The caller frees the result. */
char *apw_filter_expand_any(const char *template);

/* Returns "(!filter)", which the caller frees, or NULL without memory. */
char *apw_filter_negate(const char *filter);

/* Returns "(&(a)(b))", which the caller frees, or NULL without memory. */
char *apw_filter_both(const char *a, const char *b);

/* Returns "(&(off)(!(on)))", which the caller frees, or NULL without memory. */
char *apw_filter_exclude(const char *off, const char *on);

/* Fails unless libldap accepts `filter`. A template must have no other % than those above, and one
 * of those that stand for the login. */
int apw_filter_check(const char *filter, bool is_template, struct apw_error *error);

/* Fails if logins that differ in more than case find one entry by this template: user@any.domain by
 * %n alone, user+tag by %t, DOMAIN\user by %b. The login as typed then cannot name a mailbox. */
int apw_filter_check_name(const char *template, struct apw_error *error);

#endif
