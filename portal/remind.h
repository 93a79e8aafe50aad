/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind: app-password-portal --remind, behind `app-password remind`: mails users about what
 * changes soon, and revokes app passwords that nobody uses, as revoke_unused says.
 *
 * Finds the users first, in pages, and then reads each again before it does anything. It may run at
 * the same time on several hosts.
 */
#ifndef APW_REMIND_H
#define APW_REMIND_H

#include "portal.h"
#include <stdbool.h>

struct apw_remind_call {
    bool is_dry_run;
    int count; /* 0: all users */
    char **user;
};

/* Returns the exit status. */
int apw_remind_users(const struct apw_portal *portal, const struct apw_remind_call *call);

#endif
