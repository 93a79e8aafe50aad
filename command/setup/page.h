/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: the self-service page, and nginx in front of it.
 */
#ifndef APW_SETUP_PAGE_H
#define APW_SETUP_PAGE_H

#include "setup/answers.h"
#include "setup/folder.h"

int apw_setup_page_write(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                         struct apw_error *error);

#endif
