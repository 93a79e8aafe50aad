/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"
#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Copies an address without its zone (RFC 4007, 11.2); -1 if it does not fit, or the zone is empty.
 */
static int cut_zone(const char *text, char address_r[APW_ADDRESS_TEXT_SIZE])
{
    size_t length = strcspn(text, "%");

    if (length >= APW_ADDRESS_TEXT_SIZE || (text[length] == '%' && text[length + 1] == '\0'))
        return -1;
    memcpy(address_r, text, length);
    address_r[length] = '\0';
    return 0;
}

int apw_network_parse_address(const char *text, struct apw_address *address_r)
{
    char address[APW_ADDRESS_TEXT_SIZE];

    memset(address_r, 0, sizeof *address_r);
    if (inet_pton(AF_INET, text, address_r->bytes) == 1) {
        address_r->bits = 32;
        return 0;
    }
    if (cut_zone(text, address) != 0 || inet_pton(AF_INET6, address, address_r->bytes) != 1)
        return -1;
    address_r->bits = 128;
    if (memcmp(address_r->bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        memmove(address_r->bytes, address_r->bytes + sizeof mapped_prefix, 4);
        memset(address_r->bytes + 4, 0, 12);
        address_r->bits = 32;
    }
    return 0;
}

/* One to three digits up to `maximum`, nothing else. */
static int parse_prefix_bits(const char *text, unsigned maximum, unsigned *bits_r)
{
    unsigned bits = 0;
    size_t length = strlen(text);

    if (length < 1 || length > 3 || (text[0] == '0' && length > 1))
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    *bits_r = bits;
    return bits <= maximum ? 0 : -1;
}

static bool prefix_is_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* Whether every bit after the prefix is 0. */
static bool host_bits_are_clear(const struct apw_address *address, unsigned prefix_bits)
{
    for (unsigned bit = prefix_bits; bit < address->bits; bit++)
        if (address->bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

int apw_network_parse(const char *text, size_t length, struct apw_network *network_r)
{
    char copy[64], *slash;
    unsigned bits, written_bits;

    if (length >= sizeof copy || memchr(text, '\0', length) != NULL ||
        memchr(text, '%', length) != NULL)
        return -1;
    memcpy(copy, text, length);
    copy[length] = '\0';
    slash = strchr(copy, '/');
    if (slash != NULL)
        *slash = '\0';
    if (apw_network_parse_address(copy, &network_r->address) != 0)
        return -1;
    bits = network_r->address.bits;
    if (slash != NULL) {
        /* An IPv4-mapped network is written with an IPv6 prefix length. */
        bool is_mapped = bits == 32 && strchr(copy, ':') != NULL;

        written_bits = is_mapped ? 128 : bits;
        if (parse_prefix_bits(slash + 1, written_bits, &bits) != 0)
            return -1;
        if (is_mapped) {
            if (bits < 96)
                return -1;
            bits -= 96;
        }
    }
    network_r->prefix_bits = (uint8_t)bits;
    return host_bits_are_clear(&network_r->address, bits) ? 0 : -1;
}

int apw_networks_parse(const char *text, size_t length, char separator,
                       struct apw_networks *networks_r, const char **bad_r)
{
    const char *end = text + length, *next;

    networks_r->count = 0;
    for (;; text = next + 1) {
        next = memchr(text, separator, (size_t)(end - text));
        if (bad_r != NULL)
            *bad_r = text;
        if (networks_r->count == APW_NETWORKS_MAX)
            return -1;
        if (apw_network_parse(text, (size_t)((next != NULL ? next : end) - text),
                              &networks_r->network[networks_r->count]) != 0)
            return -1;
        networks_r->count++;
        if (next == NULL)
            return 0;
    }
}

bool apw_networks_contain(const struct apw_networks *networks, const struct apw_address *address)
{
    for (size_t i = 0; i < networks->count; i++) {
        const struct apw_network *network = &networks->network[i];

        if (network->address.bits == address->bits &&
            prefix_is_equal(network->address.bytes, address->bytes, network->prefix_bits))
            return true;
    }
    return false;
}

bool apw_network_is_loopback(const char *text)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};
    struct apw_address address;

    if (apw_network_parse_address(text, &address) != 0)
        return false;
    return address.bits == 32 ? address.bytes[0] == 127
                              : memcmp(address.bytes, v6_loopback, sizeof v6_loopback) == 0;
}
