/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_port: hosts and ports as portal.conf has them. Pure.
 */
#ifndef APW_HOST_PORT_H
#define APW_HOST_PORT_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

struct apw_host_port {
    char *host; /* owned */
    char port[6];
};

bool apw_host_port_is_port(const char *text, size_t length);

/* A name, an address, or an IPv6 address in brackets (RFC 3986, 3.2.2). */
bool apw_host_port_is_host(const char *text, size_t length);

/* The length of the host in "host:port". */
size_t apw_host_port_host_length(const char *text);

/* Copies a host without its brackets; free it. */
int apw_host_port_copy_host(const char *text, size_t length, char **host_r,
                            struct apw_error *error);

/* Whether a mail server speaks TLS from the first byte on that port (RFC 8314), or STARTTLS. */
bool apw_host_port_is_tls(const char *port);

/* Splits "host:port"; free the host. */
int apw_host_port_split(const char *value, char **host_r, char port_r[6], struct apw_error *error);

#endif
