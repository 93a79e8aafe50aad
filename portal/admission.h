/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admission: how a session begins.
 */
#ifndef APW_ADMISSION_H
#define APW_ADMISSION_H

#include "login.h"
#include "portal.h"
#include "web/exchange.h"

/* Begins and enters a session of the entry `dn` in place of the browser's one so far, with a new
 * cookie. NULL without memory, or if no session may end for this one. */
struct apw_web_session *apw_admission_begin(const struct apw_portal *portal,
                                            struct apw_exchange *exchange,
                                            const char login[APW_LOGIN_SIZE], const char *dn);

#endif
