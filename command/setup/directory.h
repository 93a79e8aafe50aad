/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory: schema, identities, rights and index for the kind of directory that the site has.
 */
#ifndef APW_SETUP_DIRECTORY_H
#define APW_SETUP_DIRECTORY_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_directory_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error);

#endif
