/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: the app passwords of one user, for people.
 */
#ifndef APW_TABLE_H
#define APW_TABLE_H

#include "user.h"

/* Prints columns with a header, and below them the unusable values with the reason. -1 if out of
 * memory. */
int apw_table_print(const struct apw_user *user);

/* Prints those that were revoked, the last one first; nothing if there are none. */
void apw_table_print_revoked(const struct apw_user *user);

/* Prints unused invitations; nothing if there are none. */
void apw_table_print_invitations(const struct apw_user *user);

#endif
