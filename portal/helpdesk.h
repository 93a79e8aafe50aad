/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpdesk: who is the help desk, and whom they may help.
 *
 * The directory decides both, at each request: helpdesk_filter is asked of the visitor's own entry,
 * helpdesk_users of the other person's. Nobody who matches helpdesk_filter can be helped.
 */
#ifndef APW_HELPDESK_H
#define APW_HELPDESK_H

#include "request.h"

#define APW_HELPDESK_PATH "help-desk"

/* Whether the site has a help desk at all. */
bool apw_helpdesk_exists(const struct apw_portal *portal);

/* Whether the visitor is help desk now and has passed a second step in this session. If not, the
 * request is answered: as an unknown address is, or 503 if the directory did not say. */
bool apw_helpdesk_is_open(struct apw_request *request);

/* Puts the link to the help desk's pages into the head of a page that is not open yet, if the
 * visitor is help desk now. */
void apw_helpdesk_add_head(struct apw_request *request);

/* Whether somebody who is signing in may be help desk: also if the directory does not say. Such
 * people pass the second step each time, even in a remembered browser. */
bool apw_helpdesk_may_be_staff(const struct apw_request *request);

/* Finds those whom the help desk may help among the entries that match `filter`, at most `most`.
 * The caller frees them. */
enum apw_ldap_result apw_helpdesk_search(const struct apw_portal *portal, const char *filter,
                                         const char *const *attributes, unsigned most,
                                         struct apw_entry **entries_r, struct apw_error *error);

/* For --test: OK if the filters of an existing help desk match somebody. */
enum apw_ldap_result apw_helpdesk_try(const struct apw_portal *portal, struct apw_error *error);

/* A log line about something that the visitor, the actor, did or tried to do for the person that
 * request->helped_login names. `id` and `error` may be NULL. */
void apw_helpdesk_log(struct apw_request *request, enum apw_verdict verdict, enum apw_reason reason,
                      const char *action, const char *id, const struct apw_error *error);

/* The directory is down or its data makes no sense: an error page (503), and such a log line. */
void apw_helpdesk_give_up(struct apw_request *request, const char *action,
                          const struct apw_error *error);

#endif
