/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helped_page: the page of a person whom the help desk helps, with their state and what can be
 * done.
 */
#ifndef APW_HELPED_PAGE_H
#define APW_HELPED_PAGE_H

#include "helped.h"

void apw_helped_page_show(struct apw_request *request);

#endif
