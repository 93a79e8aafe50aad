/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen: the socket on which a site takes connections.
 */
#ifndef APW_LISTEN_H
#define APW_LISTEN_H

#include "error.h"

struct apw_listen_address {
    const char *path; /* of a Unix socket, or NULL */
    const char *host; /* else a numeric address and port */
    const char *port;
};

/* Returns a listening socket, or -1. A Unix socket gets mode 0660; one that a crash left behind is
 * replaced. */
int apw_listen_open(const struct apw_listen_address *address, struct apw_error *error);

/* Removes the file of a Unix socket. */
void apw_listen_remove(const struct apw_listen_address *address);

#endif
