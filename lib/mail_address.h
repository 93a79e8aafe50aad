/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_address: addresses to which we send mail. Pure.
 */
#ifndef APW_MAIL_ADDRESS_H
#define APW_MAIL_ADDRESS_H

#include <stdbool.h>

#define APW_MAIL_ADDRESS_SIZE 255

/* Whether we send codes to `address`: user@domain in printable ASCII, with no character that has a
 * meaning to a mail program or in a header. */
bool apw_mail_address_is_valid(const char *address);

#endif
