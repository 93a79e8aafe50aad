/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slapdconf: schema, rights and index for OpenLDAP with slapd.conf: files, one of them slapd.conf
 * itself.
 */
#ifndef APW_SETUP_SLAPDCONF_H
#define APW_SETUP_SLAPDCONF_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_slapdconf_write(struct apw_setup_folder *folder,
                              const struct apw_setup_answers *answers, struct apw_error *error);

#endif
