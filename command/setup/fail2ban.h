/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fail2ban: the filter and the jails.
 */
#ifndef APW_SETUP_FAIL2BAN_H
#define APW_SETUP_FAIL2BAN_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_fail2ban_write(struct apw_setup_folder *folder,
                             const struct apw_setup_answers *answers, struct apw_error *error);

#endif
