/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scripts: apply.sh, undo.sh and what they read.
 */
#ifndef APW_SETUP_SCRIPTS_H
#define APW_SETUP_SCRIPTS_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_scripts_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error);

#endif
