/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * autodiscover: Outlook's request for the settings of an account (MS-OXDSCLI, 2.2.3). Pure.
 */
#ifndef APW_AUTODISCOVER_H
#define APW_AUTODISCOVER_H

#include "mail_address.h"
#include <stddef.h>

/* The user's address. -1 if the text has none, or asks for something other than Outlook's settings.
 * It is not parsed as XML: Outlook writes the element without a prefix, attributes and references,
 * and other text is no valid address. */
int apw_autodiscover_read(const char *text, size_t length, char address_r[APW_MAIL_ADDRESS_SIZE]);

#endif
