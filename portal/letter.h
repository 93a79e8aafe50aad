/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * letter: a mail from the page to one address: sender, reply address and language.
 */
#ifndef APW_LETTER_H
#define APW_LETTER_H

#include "mail.h"
#include "portal.h"

/* `text` is as in mail.h, in that language. Free the mail. */
int apw_letter_compose(const struct apw_portal *portal, unsigned language, const char *to,
                       const char *text, struct apw_mail *mail_r, struct apw_error *error);

#endif
