/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendmail: hands one message to the host's sendmail program.
 */
#ifndef APW_SENDMAIL_H
#define APW_SENDMAIL_H

#include "error.h"
#include "web/buffer.h"

/* Waits up to ten seconds; -1 if the program cannot be started, fails or takes longer. The
 * recipient is in the message. */
int apw_sendmail_send(const char *program, const char *from_name, const struct apw_buffer *message,
                      struct apw_error *error);

#endif
