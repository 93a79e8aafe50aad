/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * configuration: app-password.conf, admin.conf and their generated passwords.
 */
#ifndef APW_SETUP_CONFIGURATION_H
#define APW_SETUP_CONFIGURATION_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_configuration_write(struct apw_setup_folder *folder,
                                  const struct apw_setup_answers *answers, struct apw_error *error);

#endif
