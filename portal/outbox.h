/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbox: keeps notices that could not be sent, and tries again: after 1, 5 and 15 minutes, then
 * each hour, for a day. One thread, in memory, for at most 500 notices, 20 to one address.
 * Thread-safe.
 */
#ifndef APW_OUTBOX_H
#define APW_OUTBOX_H

#include "mail.h"
#include "portal.h"

struct apw_outbox;

/* Starts the thread. `portal` (its settings and its log) is borrowed until the outbox is freed. */
int apw_outbox_new(const struct apw_portal *portal, struct apw_outbox **outbox_r,
                   struct apw_error *error);

/* Ends the thread within about a second, and logs the notices that were never sent. Takes NULL. */
void apw_outbox_free(struct apw_outbox **outbox);

/* Takes over a mail whose first attempt failed, and leaves it empty. `login` and `client` are for
 * the log. -1 if there are too many already. */
int apw_outbox_keep(struct apw_outbox *outbox, struct apw_mail *mail, const char *login,
                    const char *client, struct apw_error *error);

#endif
