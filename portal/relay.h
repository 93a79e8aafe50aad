/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: speaks SMTP to the site's mail relay. The only user of libcurl.
 */
#ifndef APW_RELAY_H
#define APW_RELAY_H

#include "error.h"
#include "mail_result.h"
#include "mail_settings.h"
#include "web/buffer.h"
#include <stdatomic.h>

/* Once, before any thread starts. */
int apw_relay_init(struct apw_error *error);

/* Sends a message with LF line ends. Waits up to ten seconds, or until `stop` (may be NULL) is set.
 * REFUSED after a 5xx reply to MAIL, RCPT or DATA, or at the end of the message. Thread-safe. */
enum apw_mail_result apw_relay_send(const struct apw_mail_settings *settings, const char *to,
                                    const struct apw_buffer *message, const atomic_bool *stop,
                                    struct apw_error *error);

/* Connects, starts TLS and authenticates as configured; sends no mail. */
int apw_relay_try(const struct apw_mail_settings *settings, struct apw_error *error);

#endif
