/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve: looks up host names within a time limit, which getaddrinfo() does not have.
 */
#ifndef APW_RESOLVE_H
#define APW_RESOLVE_H

#include "error.h"
#include <netdb.h>
#include <stdint.h>

/* Addresses for a TCP connection to `host` (a name or a numeric address) and `port` (a number). A
 * separate thread looks up a name, and is abandoned at `deadline` (apw_clock_monotonic_ms()). The
 * caller frees the result with freeaddrinfo(). */
int apw_resolve_host(const char *host, const char *port, int64_t deadline,
                     struct addrinfo **addresses_r, struct apw_error *error);

#endif
