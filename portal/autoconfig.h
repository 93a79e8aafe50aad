/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * autoconfig: the mail servers, for mail programs that ask by themselves: Thunderbird's autoconfig,
 * Outlook's autodiscover, and a profile for Apple devices.
 *
 * No session, no secret and no look-up: for all addresses in own_domains the answer is the same.
 */
#ifndef APW_AUTOCONFIG_H
#define APW_AUTOCONFIG_H

#include "portal.h"

/* Answers if the path is one of these; false if it is not. */
bool apw_autoconfig_answer(const struct apw_portal *portal, struct apw_exchange *exchange);

#endif
