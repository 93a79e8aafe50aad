/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and CIDR blocks. */
#include "network.h"
#include "unit.h"

static const struct address_case {
    const char *name;
    const char *text;
    unsigned bits; /* 0: not an address */
} addresses[] = {
    {"dotted IPv4 is an address", "192.0.2.1", 32},
    {"IPv6 is an address", "2001:db8::1", 128},
    {"IPv4-mapped counts as IPv4", "::ffff:192.0.2.1", 32},
    {"IPv4-mapped in hexadecimal counts as IPv4", "::FFFF:c000:201", 32},
    {"IPv4-compatible stays IPv6", "::192.0.2.1", 128},
    {"translated IPv4 stays IPv6", "::ffff:0:192.0.2.1", 128},
    {"empty text is no address", "", 0},
    {"a name is no address", "localhost", 0},
    {"three numbers are no address", "192.0.2", 0},
    {"a number over 255 is no address", "192.0.2.256", 0},
    {"a leading zero is no address", "192.0.2.01", 0},
    {"hexadecimal IPv4 is no address", "0x7f.0.0.1", 0},
    {"an address with a port is no address", "192.0.2.1:25", 0},
    {"a space before an address is refused", " 192.0.2.1", 0},
    {"a space after an address is refused", "192.0.2.1 ", 0},
    {"brackets are no address", "[2001:db8::1]", 0},
    {"a zone is dropped", "fe80::1%eth0", 128},
    {"a numeric zone is dropped", "fe80::1%2", 128},
    {"a long zone is dropped", "fe80::1234:5678:9abc:def0%enx0123456789ab-some-more-letters", 128},
    {"the zone of an IPv4-mapped address is dropped", "::ffff:192.0.2.1%eth0", 32},
    {"an empty zone is no address", "fe80::1%", 0},
    {"a zone alone is no address", "%eth0", 0},
    {"IPv4 has no zone", "192.0.2.1%eth0", 0},
    {"a prefix is no address", "192.0.2.0/24", 0},
};

static void test_address(void **state)
{
    const struct address_case *row = *state;
    struct apw_address address;

    assert_int_equal(apw_network_parse_address(row->text, &address), row->bits > 0 ? 0 : -1);
    if (row->bits > 0)
        assert_int_equal(address.bits, row->bits);
}

/* Nothing is left of other addresses: neither behind an IPv4 address nor before an empty zone. */
static void test_rest(void **state)
{
    static const char *const texts[] = {"192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.7%eth0"};
    static const uint8_t bytes[16] = {192, 0, 2, 7};
    struct apw_address address;

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(texts); i++) {
        memset(&address, 0xaa, sizeof address);
        assert_int_equal(apw_network_parse_address(texts[i], &address), 0);
        assert_memory_equal(address.bytes, bytes, sizeof bytes);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(apw_network_parse_address("fe80::1%2", &address), 0);
        assert_int_equal(apw_network_parse_address("fe80::1%", &address), -1);
    }
}

static const struct network_case {
    const char *name;
    const char *text;
    int prefix_bits; /* -1: not a network */
} networks[] = {
    {"an IPv4 network", "192.0.2.0/24", 24},
    {"IPv4 /0", "0.0.0.0/0", 0},
    {"an empty prefix of 0.0.0.0 is refused", "0.0.0.0/", -1},
    {"an empty prefix of :: is refused", "::/", -1},
    {"two zeros are refused as a prefix", "0.0.0.0/00", -1},
    {"a prefix of more than 32 bits of a number is refused", "0.0.0.0/4294967296", -1},
    {"a colon is no digit, though it comes after 9", "0.0.0.0/:", -1},
    {"a slash is no digit, though it comes before 0", "::/1/", -1},
    {"no prefix of an IPv4-mapped network is longer than 128", "::ffff:0:0/129", -1},
    {"IPv4 /1", "128.0.0.0/1", 1},
    {"IPv4 /31", "192.0.2.2/31", 31},
    {"IPv4 /32", "192.0.2.3/32", 32},
    {"a bare IPv4 address is /32", "192.0.2.3", 32},
    {"an IPv6 network", "2001:db8::/32", 32},
    {"IPv6 /0", "::/0", 0},
    {"IPv6 /1", "8000::/1", 1},
    {"IPv6 /127", "2001:db8::2/127", 127},
    {"IPv6 /128", "2001:db8::3/128", 128},
    {"a bare IPv6 address is /128", "2001:db8::3", 128},
    {"IPv4-mapped /96 is IPv4 /0", "::ffff:0.0.0.0/96", 0},
    {"IPv4-mapped /120 is IPv4 /24", "::ffff:192.0.2.0/120", 24},
    {"IPv4-mapped /128 is IPv4 /32", "::ffff:192.0.2.1/128", 32},
    {"IPv4-mapped /95 is no network", "::ffff:0.0.0.0/95", -1},
    {"IPv4-mapped with an IPv4 prefix is no network", "::ffff:192.0.2.0/24", -1},
    {"IPv4 /33 is no network", "192.0.2.0/33", -1},
    {"IPv6 /129 is no network", "2001:db8::/129", -1},
    {"a bit after an IPv4 prefix is refused", "192.0.2.1/24", -1},
    {"the first bit after an IPv4 prefix is refused", "192.0.2.1/31", -1},
    {"the last bit of IPv4 /0 is refused", "0.0.0.1/0", -1},
    {"a bit after an IPv6 prefix is refused", "2001:db8::1/64", -1},
    {"the first bit after an IPv6 prefix is refused", "2001:db8::3/127", -1},
    {"a bit after an IPv4-mapped prefix is refused", "::ffff:192.0.2.1/120", -1},
    {"a network with a zone is refused", "fe80::%eth0/64", -1},
    {"an address with a zone is no network", "fe80::1%eth0", -1},
    {"empty text is no network", "", -1},
    {"a slash is no network", "/", -1},
    {"a prefix alone is no network", "/24", -1},
    {"a slash without a prefix is no network", "192.0.2.0/", -1},
    {"a netmask is no prefix", "192.0.2.0/255.255.255.0", -1},
    {"a sign is no prefix", "192.0.2.0/+24", -1},
    {"a minus is no prefix", "192.0.2.0/-1", -1},
    {"a leading zero is no prefix", "192.0.2.0/024", -1},
    {"a space before the prefix is refused", "192.0.2.0/ 24", -1},
    {"a space after the prefix is refused", "192.0.2.0/24 ", -1},
    {"two prefixes are refused", "192.0.2.0/24/24", -1},
    {"a prefix of 2^32 does not wrap", "192.0.2.0/4294967296", -1},
    {"64 characters are no network",
     "1111111111111111111111111111111111111111111111111111111111111111", -1},
};

static void test_network(void **state)
{
    const struct network_case *row = *state;
    size_t length = strlen(row->text);
    char *text = unit_copy(row->text, length);
    struct apw_network network;

    assert_int_equal(apw_network_parse(text, length, &network), row->prefix_bits < 0 ? -1 : 0);
    if (row->prefix_bits >= 0)
        assert_int_equal(network.prefix_bits, row->prefix_bits);
    free(text);
}

static const struct member_case {
    const char *name;
    const char *list; /* with commas */
    const char *address;
    bool is_member;
} members[] = {
    {"the first address of a /24", "192.0.2.0/24", "192.0.2.0", true},
    {"the last address of a /24", "192.0.2.0/24", "192.0.2.255", true},
    {"the address before a /24", "192.0.2.0/24", "192.0.1.255", false},
    {"the address after a /24", "192.0.2.0/24", "192.0.3.0", false},
    {"IPv4 /0 has every IPv4 address", "0.0.0.0/0", "255.255.255.255", true},
    {"IPv4 /1 has its half", "128.0.0.0/1", "128.0.0.0", true},
    {"IPv4 /1 does not have the other half", "128.0.0.0/1", "127.255.255.255", false},
    {"a /31 has two addresses", "192.0.2.2/31", "192.0.2.3", true},
    {"a /31 has no third address", "192.0.2.2/31", "192.0.2.4", false},
    {"a /32 has its address", "192.0.2.3/32", "192.0.2.3", true},
    {"a /32 has no other", "192.0.2.3/32", "192.0.2.2", false},
    {"the last address of an IPv6 /32", "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
     true},
    {"the address after an IPv6 /32", "2001:db8::/32", "2001:db9::", false},
    {"IPv6 /0 has every IPv6 address", "::/0", "ffff::1", true},
    {"IPv6 /1 has its half", "8000::/1", "ffff::", true},
    {"IPv6 /1 does not have the other half", "8000::/1", "7fff::", false},
    {"a /127 has two addresses", "2001:db8::2/127", "2001:db8::3", true},
    {"a /127 has no third address", "2001:db8::2/127", "2001:db8::4", false},
    {"a /128 has its address", "2001:db8::3", "2001:DB8:0:0::3", true},
    {"a /128 has no other", "2001:db8::3", "2001:db8::2", false},
    {"a mapped address is in an IPv4 network", "192.0.2.0/24", "::ffff:192.0.2.7", true},
    {"an IPv4 address is in a mapped network", "::ffff:192.0.2.0/120", "192.0.2.7", true},
    {"a mapped address is in a mapped network", "::ffff:192.0.2.0/120", "::ffff:192.0.2.7", true},
    {"a mapped address outside a mapped network", "::ffff:192.0.2.0/120", "::ffff:192.0.3.7",
     false},
    {"IPv6 /0 has no IPv4 address", "::/0", "192.0.2.1", false},
    {"IPv6 /0 has no mapped address", "::/0", "::ffff:192.0.2.1", false},
    {"IPv4 /0 has no IPv6 address", "0.0.0.0/0", "2001:db8::1", false},
    {"an IPv4 network is not the IPv6 one with the same first bits", "32.1.0.0/16", "2001:db8::1",
     false},
    {"the last of a list", "192.0.2.0/24,2001:db8::/32,198.51.100.7", "198.51.100.7", true},
    {"none of a list", "192.0.2.0/24,2001:db8::/32,198.51.100.7", "198.51.100.8", false},
};

static void test_member(void **state)
{
    const struct member_case *row = *state;
    struct apw_networks list;
    struct apw_address address;

    assert_int_equal(apw_networks_parse(row->list, strlen(row->list), ',', &list, NULL), 0);
    assert_int_equal(apw_network_parse_address(row->address, &address), 0);
    assert_int_equal(apw_networks_contain(&list, &address), row->is_member);
}

static const struct list_case {
    const char *name;
    const char *text;
    char separator;
    size_t count; /* 0: not a list */
    size_t bad_at;
} lists[] = {
    {"one network is a list", "192.0.2.0/24", ',', 1, 0},
    {"three networks are a list", "192.0.2.0/24,2001:db8::/32,::1", ',', 3, 0},
    {"a list may have spaces instead of commas", "192.0.2.0/24 ::1", ' ', 2, 0},
    {"the wrong separator is refused", "192.0.2.0/24,::1", ' ', 0, 0},
    {"an empty list is refused", "", ',', 0, 0},
    {"a comma at the end is refused", "::1,", ',', 0, 4},
    {"two commas are refused", "::1,,::2", ',', 0, 4},
    {"the error points at the bad network", "192.0.2.0/24,192.0.2.1/24,::1", ',', 0, 13},
};

static void test_list(void **state)
{
    const struct list_case *row = *state;
    size_t length = strlen(row->text);
    char *text = unit_copy(row->text, length);
    struct apw_networks list;
    const char *bad = NULL;

    assert_int_equal(apw_networks_parse(text, length, row->separator, &list, &bad),
                     row->count > 0 ? 0 : -1);
    if (row->count > 0)
        assert_int_equal(list.count, row->count);
    else
        assert_ptr_equal(bad, text + row->bad_at);
    free(text);
}

static const struct loopback_case {
    const char *name;
    const char *address;
    bool is_loopback;
} loopbacks[] = {
    {"127.0.0.1 is the loopback", "127.0.0.1", true},
    {"127.0.0.0 is the loopback", "127.0.0.0", true},
    {"127.255.255.255 is the loopback", "127.255.255.255", true},
    {"126.255.255.255 is not the loopback", "126.255.255.255", false},
    {"128.0.0.0 is not the loopback", "128.0.0.0", false},
    {"0.0.0.0 is not the loopback", "0.0.0.0", false},
    {"::1 is the loopback", "::1", true},
    {"::1 written in full is the loopback", "0:0:0:0:0:0:0:1", true},
    {":: is not the loopback", "::", false},
    {"::2 is not the loopback", "::2", false},
    {"an IPv6 address that ends in ::1 is not the loopback", "2001:db8::1", false},
    {"an IPv6 address that begins with 7f is not the loopback", "7f00::1", false},
    {"IPv4-mapped 127.0.0.1 is the loopback", "::ffff:127.0.0.1", true},
    {"IPv4-mapped 127.0.0.1 in hexadecimal is the loopback", "::FFFF:7f00:1", true},
    {"IPv4-mapped 192.0.2.1 is not the loopback", "::ffff:192.0.2.1", false},
    {"IPv4-mapped 0.0.0.1 is not the loopback", "::ffff:0.0.0.1", false},
    {"IPv4-compatible 127.0.0.1 is not the loopback", "::127.0.0.1", false},
};

static void test_loopback(void **state)
{
    const struct loopback_case *row = *state;
    struct apw_address address;

    assert_int_equal(apw_network_parse_address(row->address, &address), 0);
    assert_int_equal(apw_network_is_loopback(row->address), row->is_loopback);
}

static void test_nul(void **state)
{
    struct apw_network network;

    (void)state;
    assert_int_equal(apw_network_parse("::1\0", 4, &network), -1);
    assert_int_equal(apw_network_parse("192.0.2.0\0/24", 13, &network), -1);
}

static void test_longest_list(void **state)
{
    char *list = unit_repeat("192.0.2.1,", APW_NETWORKS_MAX + 1);
    struct apw_networks parsed;
    const char *bad;

    (void)state;
    assert_int_equal(apw_networks_parse(list, APW_NETWORKS_MAX * 10 - 1, ',', &parsed, NULL), 0);
    assert_int_equal(parsed.count, APW_NETWORKS_MAX);
    assert_int_equal(apw_networks_parse(list, (APW_NETWORKS_MAX + 1) * 10 - 1, ',', &parsed, &bad),
                     -1);
    assert_ptr_equal(bad, list + APW_NETWORKS_MAX * 10);
    free(list);
}

static void test_empty(void **state)
{
    const struct apw_networks nothing = {0};
    struct apw_address address;

    (void)state;
    assert_int_equal(apw_network_parse_address("0.0.0.0", &address), 0);
    assert_false(apw_networks_contain(&nothing, &address));
}

static void test_end_of_list(void **state)
{
    struct apw_networks list;
    struct apw_address address;

    (void)state;
    assert_int_equal(apw_networks_parse("192.0.2.0/24,0.0.0.0/0", 22, ',', &list, NULL), 0);
    assert_int_equal(apw_network_parse_address("198.51.100.7", &address), 0);
    assert_true(apw_networks_contain(&list, &address));
    list.count = 1;
    assert_false(apw_networks_contain(&list, &address));
}

static void test_no_loopback(void **state)
{
    static const char *const texts[] = {"", "localhost", "127.0.0.1:25", "127.0.0.0/8", "::1/128"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(texts); i++)
        assert_false(apw_network_is_loopback(texts[i]));
}

int main(void)
{
    UNIT_ROWS(addresses, test_address);
    UNIT_TEST("an IPv4 address is followed by zeros", test_rest);
    UNIT_ROWS(networks, test_network);
    UNIT_ROWS(members, test_member);
    UNIT_ROWS(lists, test_list);
    UNIT_ROWS(loopbacks, test_loopback);
    UNIT_TEST("a NUL in a network is refused", test_nul);
    UNIT_TEST("64 networks are a list, 65 are not", test_longest_list);
    UNIT_TEST("an empty list contains no address", test_empty);
    UNIT_TEST("a network behind the last one contains none", test_end_of_list);
    UNIT_TEST("what is no address is no loopback address", test_no_loopback);
    return unit_run();
}
