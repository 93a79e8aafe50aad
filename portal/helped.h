/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helped: the person whom the help desk helps.
 *
 * The login of the person travels in each address and form, never in the session: two tabs cannot
 * act on the wrong person.
 */
#ifndef APW_HELPED_H
#define APW_HELPED_H

#include "request.h"

#define APW_HELPED_PATH "help-desk/person"

/* Reads the person named by the field `person` of the form, or of the address with GET, into
 * request->helped and request->helped_login, and checks that the help desk may help them. If not,
 * the request is answered, in the same words as for somebody who does not exist; or with 503 if
 * the directory did not say. Only for routes of the help desk. */
bool apw_helped_read(struct apw_request *request);

/* That person, for a change. After apw_helped_read(); borrowed. */
struct apw_target apw_helped_target(const struct apw_request *request);

/* Redirects to the person's page, which says this. After apw_helped_read(). */
void apw_helped_go_saying(struct apw_request *request, enum apw_text text, bool is_good);

#endif
