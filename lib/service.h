/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service: names of mail services. Pure.
 *
 * Lower case [a-z0-9-]; smtps, submission and submissions mean smtp, imaps imap, pop3s and pop
 * pop3, managesieve sieve.
 */
#ifndef APW_SERVICE_H
#define APW_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#define APW_SERVICE_SIZE 33 /* 32 characters and NUL */

/* Lower-cases `name` and resolves the aliases. -1, and "" in name_r, if it is empty, too long or
 * has other characters. */
int apw_service_canonicalize(const char *name, size_t length, char name_r[APW_SERVICE_SIZE]);

/* Whether the comma-separated `list` names the canonical `service` or an alias of it. */
bool apw_service_list_has(const char *list, const char *service);

/* Whether `list` is one or more names in lower case, separated by single commas. */
bool apw_service_list_is_valid(const char *list, size_t length);

#endif
