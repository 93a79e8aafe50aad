/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dovecot: the Lua passdb in place of the site's own.
 */
#ifndef APW_SETUP_DOVECOT_H
#define APW_SETUP_DOVECOT_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_dovecot_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error);

#endif
