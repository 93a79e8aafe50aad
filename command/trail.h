/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trail: tells the log who has changed what.
 *
 * The log is that of the logins. If this identity may not write it, or if its file does not exist
 * yet, the lines go to syslog: a file that root creates might be one that the mail servers cannot
 * open.
 */
#ifndef APW_TRAIL_H
#define APW_TRAIL_H

#include "audit.h"
#include "user.h"

/* Begins for the manager who makes the changes, as `identity`; both are borrowed until the end. If
 * there are two, as for an import, it is the first. Opens nothing yet. */
void apw_trail_begin(const struct apw_manager *manager, const struct apw_identity *identity);

/* Logs a change by the administrator, or an attempt that failed: fill in action, user, id, dn and
 * error. Nothing if nothing was changed, or with --dry-run. */
void apw_trail_add(const struct apw_audit *change, enum apw_manage_result result);

/* The same for all app passwords and invitations of a user at once. */
void apw_trail_add_all(const char *login, const struct apw_user *user,
                       enum apw_manage_result result, const struct apw_error *error);

/* Ends if it began for this manager. */
void apw_trail_end(const struct apw_manager *manager);

#endif
