/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail: writes one message to one address, and sends it through the relay or a sendmail program.
 * Thread-safe.
 */
#ifndef APW_MAIL_H
#define APW_MAIL_H

#include "error.h"
#include "mail_result.h"
#include "mail_settings.h"
#include "web/buffer.h"
#include <stdatomic.h>

/* What a message is written from. Addresses must be valid (mail_address.h). */
struct apw_mail_content {
    const char *from;
    const char *from_name;
    const char *to;
    const char *reply_to; /* NULL: replies go to the sender */
    const char *language; /* such as "nb" (RFC 3282) */
    const char *text;     /* the line "Subject: …", an empty line, and the body; UTF-8 */
};

/* All zeroes: empty. */
struct apw_mail {
    char *to;
    struct apw_buffer message; /* ASCII, lines end in LF */
};

/* Writes a message. Free the mail. */
int apw_mail_compose(const struct apw_mail_content *content, struct apw_mail *mail_r,
                     struct apw_error *error);

/* Waits up to ten seconds; NOT_SENT if the message was not accepted by then. If `stop` is not NULL,
 * setting it ends the wait within a second. */
enum apw_mail_result apw_mail_send(const struct apw_mail_settings *settings,
                                   const struct apw_mail *mail, const atomic_bool *stop,
                                   struct apw_error *error);
void apw_mail_free(struct apw_mail *mail); /* its members; wipes */

#endif
