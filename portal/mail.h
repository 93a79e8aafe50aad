/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail: writes one message to one address, and sends it through the relay or a sendmail program.
 */
#ifndef APW_MAIL_H
#define APW_MAIL_H

#include "error.h"
#include "mail_settings.h"

/* Sends `text`: the line "Subject: …", an empty line, and the body, all UTF-8 (the subject is
 * encoded as in RFC 2047). `to` must be a valid address (method.h). Waits up to ten seconds; -1 if
 * the message was not accepted by then. Thread-safe. */
int apw_mail_send(const struct apw_mail_settings *settings, const char *to, const char *from_name,
                  const char *text, struct apw_error *error);

#endif
