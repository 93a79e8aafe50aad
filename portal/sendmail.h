/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendmail: hands one message to the host's sendmail program.
 */
#ifndef APW_SENDMAIL_H
#define APW_SENDMAIL_H

#include "error.h"
#include "mail_result.h"
#include "web/buffer.h"
#include <stdatomic.h>

/* Waits up to ten seconds, or until `stop` (may be NULL) is set. REFUSED if the program ends with
 * EX_DATAERR, EX_NOUSER or EX_NOHOST (sysexits.h). The recipient is in the message; mail that
 * cannot be delivered returns to `from`. */
enum apw_mail_result apw_sendmail_send(const char *program, const char *from,
                                       const struct apw_buffer *message, const atomic_bool *stop,
                                       struct apw_error *error);

#endif
