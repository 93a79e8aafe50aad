/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile: how the page hands out profiles for Apple devices, signed if the site has a certificate.
 */
#ifndef APW_PROFILE_H
#define APW_PROFILE_H

#include "portal.h"

/* The body is a whole profile: signs it, and makes the answer a download. After the certificate's
 * end it stays unsigned, which the log says once a day. If signing fails, the answer is an empty
 * 500. */
void apw_profile_finish(const struct apw_portal *portal, struct apw_exchange *exchange);

/* Whether the profiles are signed now. */
bool apw_profile_is_signed(const struct apw_portal *portal);

/* Whether it is time to renew the certificate; *why_r says so. */
bool apw_profile_ends_soon(const struct apw_portal *portal, struct apw_error *why_r);

#endif
