/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_invitation: mails the link of an invitation to its user's alternate address, for
 * `app-password invite --mail`. The page does it because it has the key of the address.
 */
#ifndef APW_MAIL_INVITATION_H
#define APW_MAIL_INVITATION_H

#include "portal.h"

/* Reads the invitation's token from standard input, mails the link in the language of that code,
 * and prints the address, masked. Without a token it sends nothing, but fails if there is no
 * address to send a link to. Returns the exit status; 1: no address, or the relay refuses it for
 * good. Of the portal, it needs neither log nor throttles. */
int apw_mail_invitation_run(const struct apw_portal *portal, const char *user,
                            const char *language);

#endif
