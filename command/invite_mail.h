/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * invite_mail: has app-password-portal mail a link to a user's alternate address. The page's
 * program has the key of the address and sends mail, so this one needs neither.
 */
#ifndef APW_INVITE_MAIL_H
#define APW_INVITE_MAIL_H

#include "status.h"

/* To whom, in which language (NULL: English), and the configuration. Borrowed. */
struct apw_invite_mail {
    const char *config_path;
    const char *login;
    const char *language;
};

/* Whether there is an address to send a link to. Says why not. */
enum apw_status apw_invite_mail_check(const struct apw_invite_mail *mail);

/* Sends the link of the invitation with that token. *answer_r, which the caller frees, is the
 * address, masked, or why nothing was sent; NULL without memory. */
enum apw_status apw_invite_mail_send(const struct apw_invite_mail *mail, const char *token,
                                     char **answer_r);

#endif
