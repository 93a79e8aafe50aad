/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remembered: browsers in which a person has asked not to be asked for the second factor for some
 * time (remember_browser).
 *
 * Each has a cookie, and a record in the entry (lib/browser_record.h). The cookie alone is worth
 * nothing: it goes with the account password that was right when the browser was remembered.
 */
#ifndef APW_REMEMBERED_H
#define APW_REMEMBERED_H

#include "request.h"

/* After the right password. True, with all rights, if the browser is remembered. */
bool apw_remembered_let_in(struct apw_request *request, const char *password);

/* After the right password, if the second factor is asked for: prepares for remembering. */
void apw_remembered_prepare(struct apw_request *request, const char *password);

/* Adds the box to tick to a form. */
void apw_remembered_add_box(struct apw_request *request);

/* After that factor was passed: remembers the browser, if the box was ticked. */
void apw_remembered_keep(struct apw_request *request, const struct apw_method *passed);

/* Adds the list of remembered browsers to a page, if there are any. */
void apw_remembered_add_list(struct apw_request *request);

/* POST forget-browser: forgets one. */
void apw_remembered_do_forget(struct apw_request *request);

#endif
