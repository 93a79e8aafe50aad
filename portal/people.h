/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * people: the help desk's first page, on which it finds the person who asks for help.
 */
#ifndef APW_PEOPLE_H
#define APW_PEOPLE_H

#include "request.h"

void apw_people_show(struct apw_request *request);

/* Finds people by a part of the name, by the start of the mail address or the login, or by the
 * whole login. */
void apw_people_do_find(struct apw_request *request);

#endif
