/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail: sends one message to one address with the site's sendmail program.
 */
#ifndef APW_MAIL_H
#define APW_MAIL_H

#include "error.h"

/* Sends `text`: the line "Subject: …", an empty line, and the body, all UTF-8 (the subject is
 * encoded as in RFC 2047). `program` is a sendmail; `to` must be a valid address (method.h). Waits
 * up to ten seconds; -1 if the program cannot be started, fails or takes longer. */
int apw_mail_send(const char *program, const char *to, const char *from_name, const char *text,
                  struct apw_error *error);

#endif
