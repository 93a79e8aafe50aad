/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json: app passwords for programs, as app-password(1) describes.
 */
#ifndef APW_JSON_H
#define APW_JSON_H

#include "user.h"
#include <stdbool.h>

/* Prints an array of objects; if requested, revoked app passwords and unused invitations follow the
 * others. -1 if out of memory. */
int apw_json_print(const struct apw_user *user, bool with_revoked, bool with_invitations);

/* Prints one object on one line, without its end: the finding, the user and, unless it is NULL, the
 * app password. `would_end` follows unless it is APW_POLICY_NEVER. -1 if out of memory. */
int apw_json_print_finding(const char *finding, const struct apw_user *user,
                           const struct apw_managed_password *password, int64_t would_end);

#endif
