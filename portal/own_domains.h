/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_domains: the domains of the site's mailboxes, a list in lower case with single spaces; ""
 * for none. Pure.
 */
#ifndef APW_OWN_DOMAINS_H
#define APW_OWN_DOMAINS_H

#include "error.h"
#include <stdbool.h>

/* Reads a list as in portal.conf; free the result, also after -1. Only ASCII and no dot at either
 * end, like the addresses that it is compared with. */
int apw_own_domains_read(const char *value, char **domains_r, struct apw_error *error);

/* Whether the address is in one of the domains, or in a subdomain. */
bool apw_own_domains_have(const char *domains, const char *address);

#endif
