/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network: client addresses and CIDR blocks. Pure.
 *
 * IPv4-mapped IPv6 addresses (::ffff:192.0.2.1, RFC 4291, 2.5.5.2) count as IPv4 throughout.
 */
#ifndef APW_NETWORK_H
#define APW_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_address {
    uint8_t bytes[16]; /* network order; IPv4 uses the first four */
    uint8_t bits;      /* 32 or 128 */
};

struct apw_network {
    struct apw_address address; /* host bits are 0 */
    uint8_t prefix_bits;
};

#define APW_NETWORKS_MAX 64
struct apw_networks {
    size_t count;
    struct apw_network network[APW_NETWORKS_MAX];
};

#define APW_ADDRESS_TEXT_SIZE 46

/* Numeric IPv4 or IPv6 without brackets; -1 for anything else. The zone of an IPv6 address
 * (fe80::1%eth0) means something on one host only, and is dropped. */
int apw_network_parse_address(const char *text, struct apw_address *address_r);

/* Whether the text is an address in 127.0.0.0/8, or ::1 (RFC 6890). */
bool apw_network_is_loopback(const char *text);

/* "192.0.2.0/24", "2001:db8::/32" or a bare address. -1 for anything else, and if a bit after the
 * prefix is set: 192.0.2.1/24 is probably a mistake. A zone is a mistake, too. */
int apw_network_parse(const char *text, size_t length, struct apw_network *network_r);

/* One or more of them, separated by single `separator` characters; at most APW_NETWORKS_MAX. On
 * -1 *bad_r (may be NULL) points at the first bad one within `text`. */
int apw_networks_parse(const char *text, size_t length, char separator,
                       struct apw_networks *networks_r, const char **bad_r);

bool apw_networks_contain(const struct apw_networks *networks, const struct apw_address *address);

#endif
