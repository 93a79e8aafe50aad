/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix: the plugin or Dovecot, and the ports of mail clients; nothing if Postfix asks Dovecot
 * already.
 */
#ifndef APW_SETUP_POSTFIX_H
#define APW_SETUP_POSTFIX_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_postfix_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error);

#endif
