/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport: the socket below libldap, with a time limit on every wait.
 *
 * libldap's own time limits cover neither a TLS handshake nor an answer that trickles in byte by
 * byte. So the socket is ours, non-blocking, and is the lowest layer of libldap's I/O stack: all
 * that libldap or the TLS library reads or writes passes here, and ends after `timeout_ms` without
 * a byte, and at the deadline.
 */
#ifndef APW_TRANSPORT_H
#define APW_TRANSPORT_H

#include "error.h"
#include <lber.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_transport {
    int fd;
    int timeout_ms;
    bool is_local_only; /* connect to loopback addresses only, because there is no TLS */
    int64_t deadline;   /* apw_clock_monotonic_ms(); set it before each operation */
    size_t may_receive; /* bytes; set it before each operation */
    bool is_timed_out;  /* a wait ended without a byte */
    bool is_abandoned;  /* write nothing more: the connection is a parent's or broken */
};

/* Connects to the Unix socket `path`. */
int apw_transport_open_unix(struct apw_transport *transport, const char *path,
                            struct apw_error *error);

/* Connects by TCP, to one address of `host` after the other; they share timeout_ms. */
int apw_transport_open_tcp(struct apw_transport *transport, const char *host, const char *port,
                           struct apw_error *error);

/* Waits for something to read, until timeout_ms or the deadline; -1 with errno set if there is
 * nothing. */
int apw_transport_wait_readable(struct apw_transport *transport);

/* Whether the idle peer has sent something or closed: then the connection is of no use. */
bool apw_transport_is_stale(const struct apw_transport *transport);

/* The layer for ber_sockbuf_add_io() at LBER_SBIOD_LEVEL_PROVIDER; its argument is the struct,
 * which must outlive it. Closing the layer closes the socket. */
extern Sockbuf_IO apw_transport_io;

#endif
