/* SPDX-License-Identifier: BSD-2-Clause */
/* StartTLS, and which servers may be asked without TLS. */
#include "clock.h"
#include "directory_under_test.h"
#include <netdb.h>

#define HANDSHAKE_MS 1000

static char ca_path[UNIT_PATH_SIZE];

/* ---- without TLS ---- */

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);

/* Every name resolves to an address outside the loopback. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r)
{
    bool is_name = (hints->ai_flags & AI_NUMERICHOST) == 0;

    return __real_getaddrinfo(is_name ? "192.0.2.7" : host, port, hints, addresses_r);
}

/* Without TLS passwords stay on this host, even if "localhost" resolves to another one. */
static void test_localhost_elsewhere(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)"ldap://localhost:1389"}};

    (void)state;
    for (int start_tls = 0; start_tls <= 1; start_tls++) {
        /* With TLS, no answer comes. */
        struct apw_directory *directory =
            open_with(&uris, start_tls ? TIMEOUT_MS : PLENTY_MS, start_tls ? ca_path : NULL);
        struct apw_entry *entries;

        assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
        assert_int_equal(strstr(last_error.text, "outside the loopback") != NULL, !start_tls);
        assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
        assert_int_equal(strstr(last_error.text, "outside the loopback") != NULL, !start_tls);
        apw_directory_free(&directory);
    }
}

static void test_mapped_loopback(void **state)
{
    char uri[64];
    const struct apw_uris uris = {.count = 1, .uri = {uri}};
    struct apw_directory *directory;

    (void)state;
    snprintf(uri, sizeof uri, "ldap://[::ffff:127.0.0.1]%s", strrchr(responder_uri(0), ':'));
    directory = open_with(&uris, PLENTY_MS, NULL);
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    apw_directory_free(&directory);
}

/* ---- StartTLS ---- */

static const char ca_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUE0r/ouQ6wGkIoqnTa7ypE1HL54owCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdW5pdDAgFw0yNjExMjMwMzIxMjNaGA8yMTI2MTAzMDAzMjEy\n"
    "M1owDzENMAsGA1UEAwwEdW5pdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPOr\n"
    "Zj1VN7kuc03OG9FK6sEPseJdkEw8r7nzT90968VyJlAHoLwN+2BRc85svYUYJFhM\n"
    "vTLjIR3Y34iW3rZ95XujUzBRMB0GA1UdDgQWBBScqUFgdS5GpUbda2bOQVMrUprS\n"
    "oDAfBgNVHSMEGDAWgBScqUFgdS5GpUbda2bOQVMrUprSoDAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIDbJ3w70ozuOJDGUOnsdt7Q3zbm27KSwahw0\n"
    "8EggHIUCAiEAhz76tPoMeck4Xe8uZQVyQT/DaaGqweh4BMx940VZSKc=\n"
    "-----END CERTIFICATE-----\n";

static const struct tls_case {
    const char *name;
    int code;          /* to StartTLS */
    const char *bytes; /* to the handshake; NULL for silence */
    size_t length;
} tls_cases[] = {
    {"StartTLS that is refused is an outage", 53, BYTES("")},
    {"StartTLS that the server does not know is an outage", 2, BYTES("")},
    {"StartTLS that is unavailable is an outage", 52, BYTES("")},
    {"a handshake without an answer is an outage", 0, NULL, 0},
    {"a handshake answered by an alert is an outage", 0, BYTES("\x15\x03\x03\0\x02\x02\x28")},
    {"a handshake answered by LDAP is an outage", 0, BYTES("\x30\x0c\x02\x01\x02" ACCEPTED_BIND)},
};

static bool answer_tls_row(const struct request *request)
{
    const struct tls_case *row = request->row;

    if (request->operation == EXTENDED_REQUEST)
        return responder_result(request, EXTENDED_RESPONSE, row->code, NULL, NULL);
    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    if (row->bytes != NULL)
        responder_send(request, row->bytes, row->length);
    return true;
}

static void test_tls(void **state)
{
    const struct tls_case *row = *state;
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    struct apw_directory *directory = open_with(&uris, HANDSHAKE_MS, ca_path);
    int64_t start = apw_clock_monotonic_ms();
    struct apw_entry *entries;

    responder_expect(answer_tls_row, row);
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    assert_contains(last_error.text, "TLS: ");
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_int_equal(responder_seen().binds, 0); /* no password without TLS */
    assert_true(apw_clock_monotonic_ms() - start < PLENTY_MS / 2);
    apw_directory_free(&directory);
}

/* The answer to StartTLS and an accepted bind, at once: the latter is read ahead. */
static bool answer_tls_and_more(const struct request *request)
{
    if (request->operation == EXTENDED_REQUEST)
        return responder_send(request, BYTES("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"
                                             "\x30\x0c\x02\x01\x02" ACCEPTED_BIND));
    return true;
}

static void test_tls_injection(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    struct apw_directory *directory = open_with(&uris, PLENTY_MS, ca_path);
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    responder_expect(answer_tls_and_more, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_contains(last_error.text, "TLS: ");
    assert_int_equal(responder_seen().binds, 0);
    assert_true(apw_clock_monotonic_ms() - start < PLENTY_MS / 2);
    apw_directory_free(&directory);
}

/* Every byte comes within the timeout, but not the whole handshake. */
static bool answer_tls_slowly(const struct request *request)
{
    if (request->operation == EXTENDED_REQUEST)
        return responder_result(request, EXTENDED_RESPONSE, 0, NULL, NULL);
    responder_send(request, BYTES("\x16\x03\x03\x40\0\x02\0\0\x46"));
    for (int i = 0; i < 200 && responder_send(request, "", 1); i++)
        usleep(100 * 1000); /* 20 seconds in all */
    return false;
}

static void test_tls_trickle(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    struct apw_directory *directory = open_with(&uris, PLENTY_MS, ca_path);
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    responder_expect(answer_tls_slowly, NULL);
    assert_int_equal(bind_within(directory, 500), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, 450, 10000);
    assert_contains(last_error.text, "TLS: no answer in time");
    assert_int_equal(responder_seen().binds, 0);
    apw_directory_free(&directory);
}

int main(void)
{
    unit_write(unit_path("ca.pem", ca_path), ca_certificate, strlen(ca_certificate));
    UNIT_TEST("without TLS a localhost on another host is not asked", test_localhost_elsewhere);
    UNIT_TEST("an IPv4-mapped loopback address is one", test_mapped_loopback);
    UNIT_ROWS(tls_cases, test_tls);
    UNIT_TEST("plain bytes behind the answer to StartTLS break the handshake", test_tls_injection);
    UNIT_TEST("a handshake that trickles in ends at the deadline", test_tls_trickle);
    return responder_unit_run();
}
