/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rights: the shipped access rules with the names of the site.
 */
#ifndef APW_SETUP_RIGHTS_H
#define APW_SETUP_RIGHTS_H

#include "setup/answers.h"

/* Rules for OpenLDAP: adds the user manager, and names the replicator. Takes and returns a text as
 * text.h does. */
char *apw_setup_rights_fill_in(char *text, const struct apw_setup_answers *answers);

/* Only the second. */
char *apw_setup_rights_name_replicator(char *text, const struct apw_setup_answers *answers);

#endif
