/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rights: the shipped access rules and limits with the names of the site.
 */
#ifndef APW_SETUP_RIGHTS_H
#define APW_SETUP_RIGHTS_H

#include "error.h"
#include "setup/answers.h"

/* For the kind of directory in the answers. NULL on failure. The caller frees it. */
char *apw_setup_rights_make(const struct apw_setup_answers *answers, struct apw_error *error);

#endif
