/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help_actions: what the help desk does about app passwords, links and codes.
 *
 * Each is a POST that names the person in its form, checks again that the visitor may help them,
 * logs both names and tells the person by mail. None of them shows or chooses an app password.
 */
#ifndef APW_HELP_ACTIONS_H
#define APW_HELP_ACTIONS_H

#include "helped.h"

#define APW_HELP_CODE_PATH "help-desk/code"

/* Adds the forms to the person's page. Those of help_mfa.h are among them. */
void apw_help_actions_add(struct apw_request *request);

/* An app password, or an unused link; then all of them. */
void apw_help_actions_do_revoke(struct apw_request *request);
void apw_help_actions_do_revoke_all(struct apw_request *request);

/* Mails a link that gives a device an app password to the person's alternate address. The help desk
 * does not see the link. */
void apw_help_actions_do_link(struct apw_request *request);

/* Makes an enrollment code; GET shows it, once, to be read out. It works only together with the
 * person's account password. */
void apw_help_actions_do_code(struct apw_request *request);
void apw_help_actions_show_code(struct apw_request *request);

#endif
