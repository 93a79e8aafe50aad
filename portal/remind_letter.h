/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_letter: writes the mail that is due.
 */
#ifndef APW_REMIND_LETTER_H
#define APW_REMIND_LETTER_H

#include "mail.h"
#include "portal.h"
#include "remind_rules.h"

/* The attribute that the user must have been read with, as `also`: RFC 2798, 2.7. */
#define APW_REMIND_LANGUAGE_ATTRIBUTE "preferredLanguage"

/* The person's own mailbox; NULL if none is known. Borrowed from the user. */
const char *apw_remind_letter_address(const struct apw_user *user);

/* Writes the mail in the person's language, or else in English. Free it. */
int apw_remind_letter_write(const struct apw_portal *portal, const struct apw_user *user,
                            const struct apw_remind_due *due, int64_t now, struct apw_mail *mail_r,
                            struct apw_error *error);

#endif
