/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: speaks SMTP to the site's mail relay. The only user of libcurl.
 */
#ifndef APW_RELAY_H
#define APW_RELAY_H

#include "error.h"
#include "mail_settings.h"
#include "web/buffer.h"

/* Once, before any thread starts. */
int apw_relay_init(struct apw_error *error);

/* Sends a message with LF line ends. Waits up to ten seconds; -1 if the relay has not accepted it
 * by then. Thread-safe. */
int apw_relay_send(const struct apw_mail_settings *settings, const char *to,
                   const struct apw_buffer *message, struct apw_error *error);

/* Connects, starts TLS and authenticates as configured; sends no mail. */
int apw_relay_try(const struct apw_mail_settings *settings, struct apw_error *error);

#endif
