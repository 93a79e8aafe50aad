/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password_list: the list of app passwords, with everything that people do from there.
 */
#ifndef APW_PASSWORD_LIST_H
#define APW_PASSWORD_LIST_H

#include "request.h"

void apw_password_list_show(struct apw_request *request);

#endif
