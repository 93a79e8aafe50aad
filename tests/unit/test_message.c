/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's PLAIN message; libsasl2's "address;port". */
#include "message.h"
#include "unit.h"

#define BYTES(text) text, sizeof text - 1

static const struct plain_case {
    const char *name;
    const char *bytes;
    size_t length;
    const char *authzid; /* NULL: no message */
    const char *authcid;
    const char *password;
    size_t password_length;
} messages[] = {
    {"login and password", BYTES("\0alice\0secret"), "", "alice", BYTES("secret")},
    {"an authzid of its own", BYTES("bob\0alice\0secret"), "bob", "alice", BYTES("secret")},
    {"an empty password", BYTES("\0alice\0"), "", "alice", BYTES("")},
    {"an empty login", BYTES("\0\0secret"), "", "", BYTES("secret")},
    {"nothing in any part", BYTES("\0\0"), "", "", BYTES("")},
    {"a NUL in the password stays in it", BYTES("\0alice\0secret\0more"), "", "alice",
     BYTES("secret\0more")},
    {"a NUL at the end of the password stays in it", BYTES("\0alice\0secret\0"), "", "alice",
     BYTES("secret\0")},
    {"an empty message is invalid", BYTES(""), NULL, NULL, NULL, 0},
    {"a message without a NUL is invalid", BYTES("alice secret"), NULL, NULL, NULL, 0},
    {"a message with one NUL is invalid", BYTES("alice\0secret"), NULL, NULL, NULL, 0},
    {"a message of one NUL is invalid", BYTES("\0"), NULL, NULL, NULL, 0},
    {"a message that ends in its only NUL is invalid", BYTES("alice\0"), NULL, NULL, NULL, 0},
};

static void assert_part(const char *part, size_t length, const char *expected)
{
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(part, expected, length);
}

static void test_plain(void **state)
{
    const struct plain_case *row = *state;
    char *bytes = unit_copy(row->bytes, row->length);
    struct apw_attempt attempt = {.service = "smtp"};
    struct apw_authzid authzid;
    int status = apw_message_parse_plain(bytes, row->length, &attempt, &authzid);

    assert_int_equal(status, row->authzid != NULL ? 0 : -1);
    if (status == 0) {
        assert_part(authzid.name, authzid.length, row->authzid);
        assert_part(attempt.login, attempt.login_length, row->authcid);
        assert_int_equal(attempt.password_length, row->password_length);
        assert_memory_equal(attempt.password, row->password, row->password_length);
        assert_string_equal(attempt.service, "smtp"); /* left as it was */
    }
    free(bytes);
}

static const struct address_case {
    const char *name;
    const char *address_and_port; /* NULL is one of the cases */
    const char *address;
} addresses[] = {
    {"IPv4 with a port", "192.0.2.1;4711", "192.0.2.1"},
    {"IPv4 without a port", "192.0.2.1", "192.0.2.1"},
    {"IPv6 with a port", "2001:db8::1;4711", "2001:db8::1"},
    {"IPv6 in brackets", "[2001:db8::1];4711", "2001:db8::1"},
    {"a zone is cut off", "fe80::1%eth0;25", "fe80::1"},
    {"a zone in brackets is cut off", "[fe80::1%eth0];25", "fe80::1"},
    {"no address is known", NULL, ""},
    {"an empty address", "", ""},
    {"a port alone", ";25", ""},
    {"what fills the space to the last byte fits", "123456789012345", "123456789012345"},
    {"what does not fit is unknown, not cut", "1234567890123456", ""},
};

static void test_address(void **state)
{
    const struct address_case *row = *state;
    char address[16] = "left over";

    apw_message_parse_address(row->address_and_port, address, sizeof address);
    assert_string_equal(address, row->address);
}

int main(void)
{
    UNIT_ROWS(messages, test_plain);
    UNIT_ROWS(addresses, test_address);
    return unit_run();
}
