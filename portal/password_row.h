/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password_row: app passwords in a list, for their owner and for the help desk.
 */
#ifndef APW_PASSWORD_ROW_H
#define APW_PASSWORD_ROW_H

#include "request.h"

/* Asks for all host names at once, before the first row waits for its own. */
void apw_password_row_ask_names(const struct apw_portal *portal, const struct apw_user *user);

/* Opens a row with what is known of the app password. The caller adds what can be done with it, and
 * closes the row; it may use the page's "id" and "label". */
void apw_password_row_add(struct apw_request *request, const struct apw_managed_password *password);

/* The revoked ones, folded; nothing if there are none. */
void apw_password_row_add_revoked(struct apw_request *request, const struct apw_user *user);

#endif
