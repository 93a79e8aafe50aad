/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection: broken answers, deadlines, and the service's own bind. */
#include "clock.h"
#include "directory_under_test.h"

/* ---- broken answers ---- */

enum afterwards { THEN_SILENCE = 0, THEN_CLOSE };

static const struct raw_case {
    const char *name;
    const char *bytes;
    size_t length;
    enum afterwards afterwards;
    enum apw_user_bind result;
} raw_cases[] = {
    {"the bytes of an answer are accepted", BYTES("\x30\x0c\x02\x01\x01" ACCEPTED_BIND),
     THEN_SILENCE, APW_USER_BIND_OK},
    {"an answer with a long form of length is accepted",
     BYTES("\x30\x84\0\0\0\x0c\x02\x01\x01" ACCEPTED_BIND), THEN_SILENCE, APW_USER_BIND_OK},
    {"an answer after an unsolicited notification is accepted",
     BYTES("\x30\x0c\x02\x01\0\x78\x07\x0a\x01\x34\x04\0\x04\0"
           "\x30\x0c\x02\x01\x01" ACCEPTED_BIND),
     THEN_SILENCE, APW_USER_BIND_OK},
    {"silence is an outage", BYTES(""), THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a closed connection is an outage", BYTES(""), THEN_CLOSE, APW_USER_BIND_UNAVAILABLE},
    {"a truncated answer is an outage", BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04"),
     THEN_CLOSE, APW_USER_BIND_UNAVAILABLE},
    {"an answer that never ends is an outage",
     BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"one byte is an outage", BYTES("\x30"), THEN_CLOSE, APW_USER_BIND_UNAVAILABLE},
    {"an answer to another message is an outage", BYTES("\x30\x0c\x02\x01\x02" ACCEPTED_BIND),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"an answer to message 0 is an outage", BYTES("\x30\x0c\x02\x01\0" ACCEPTED_BIND), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"an answer to message -1 is an outage", BYTES("\x30\x0c\x02\x01\xff" ACCEPTED_BIND),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a notice of disconnection is an outage",
     BYTES("\x30\x24\x02\x01\0\x78\x1f\x0a\x01\x34\x04\0\x04\0\x8a\x16"
           "1.3.6.1.4.1.1466.20036"),
     THEN_CLOSE, APW_USER_BIND_UNAVAILABLE},
    {"the end of a search is no answer to a bind",
     BYTES("\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\0\x04\0\x04\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a finished modification is no answer to a bind",
     BYTES("\x30\x0c\x02\x01\x01\x67\x07\x0a\x01\0\x04\0\x04\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"an entry is no answer to a bind", BYTES("\x30\x09\x02\x01\x01\x64\x04\x04\0\x30\0"),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a bind request is no answer to a bind",
     BYTES("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"an empty answer is an outage", BYTES("\x30\x05\x02\x01\x01\x61\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"an empty message is an outage", BYTES("\x30\0"), THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a result code of five bytes is an outage",
     BYTES("\x30\x10\x02\x01\x01\x61\x0b\x0a\x05\x01\0\0\0\0\x04\0\x04\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a text longer than its message is an outage",
     BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\x7f"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a message of 2 GiB is an outage", BYTES("\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x61"),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a message of 4 GiB is an outage", BYTES("\x30\x84\xff\xff\xff\xff\x02\x01\x01\x61"),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a message of 5 MiB is an outage", BYTES("\x30\x83\x50\0\0\x02\x01\x01\x61"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a length of eight bytes is an outage",
     BYTES("\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff\x02\x01\x01\x61"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a length of 127 bytes is an outage", BYTES("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"an indefinite length is an outage", BYTES("\x30\x80\x02\x01\x01" ACCEPTED_BIND "\0\0"),
     THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a web server is an outage", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), THEN_CLOSE,
     APW_USER_BIND_UNAVAILABLE},
    {"a mail server is an outage", BYTES("220 mail.example.org ESMTP\r\n"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"zeros are an outage", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"ones are an outage", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), THEN_SILENCE,
     APW_USER_BIND_UNAVAILABLE},
    {"a TLS alert is an outage", BYTES("\x15\x03\x03\0\x02\x02\x28"), THEN_CLOSE,
     APW_USER_BIND_UNAVAILABLE},
};

/* libldap 2.5 leaks 80 bytes at a notice of disconnection. */
static void raw_begin(const struct raw_case *row)
{
    if (strstr(row->name, "disconnection") != NULL)
        __lsan_disable();
}

static void raw_end(const struct raw_case *row)
{
    if (strstr(row->name, "disconnection") != NULL)
        __lsan_enable();
}

static bool answer_raw_row(const struct request *request)
{
    const struct raw_case *row = request->row;

    responder_send(request, row->bytes, row->length);
    return row->afterwards == THEN_SILENCE;
}

static void test_raw(void **state)
{
    const struct raw_case *row = *state;
    bool is_good = row->result == APW_USER_BIND_OK;
    struct apw_directory *directory = open_directory(0, is_good ? PLENTY_MS : TIMEOUT_MS);
    int64_t start = apw_clock_monotonic_ms();

    raw_begin(row);
    responder_expect(answer_raw_row, row);
    assert_int_equal(bind_user(directory), row->result);
    raw_end(row);
    assert_true(apw_clock_monotonic_ms() - start < PLENTY_MS / 2);
    if (!is_good)
        assert_error_is_set();
    apw_directory_free(&directory);
}

/* The same bytes in answer to the service's bind. */
static void test_raw_at_service(void **state)
{
    const struct raw_case *row = *state;
    struct apw_directory *directory = open_directory(0, TIMEOUT_MS);
    struct apw_entry *entries;

    raw_begin(row);
    responder_expect(answer_raw_row, row);
    if (row->result == APW_USER_BIND_UNAVAILABLE) {
        assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
        assert_null(entries);
        assert_error_is_set();
    }
    raw_end(row);
    apw_directory_free(&directory);
}

static bool answer_raw_to_search(const struct request *request)
{
    return request->operation == BIND_REQUEST ? accept_bind(request) : answer_raw_row(request);
}

static void test_raw_at_search(void **state)
{
    const struct raw_case *row = *state;
    struct apw_directory *directory = open_directory(0, TIMEOUT_MS);
    struct apw_entry *entries;

    raw_begin(row); /* the answers have message ID 1, the search has 2 */
    responder_expect(answer_raw_to_search, row);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_error_is_set();
    raw_end(row);
    apw_directory_free(&directory);
}

/* Every byte comes within the timeout, but not the whole answer. */
static bool answer_slowly(const struct request *request)
{
    static const char bytes[] = "\x30\x0c\x02\x01\x01" ACCEPTED_BIND;

    for (size_t i = 0; i < sizeof bytes - 1 && responder_send(request, bytes + i, 1); i++)
        usleep(1000 * 1000); /* 14 seconds in all */
    return false;
}

static void test_trickle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    responder_expect(answer_slowly, NULL);
    assert_int_equal(bind_within(directory, 1000), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, 950, 10000);
    assert_error_is_set();
    apw_directory_free(&directory);
}

static void test_no_time_left(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_well, NULL);
    assert_int_equal(bind_within(directory, -1), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    assert_int_equal(search_within(directory, 2, -1, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_error_is_set();
    assert_int_equal(responder_seen().connections[0], 0);
    apw_directory_free(&directory);
}

/* ---- the service's own bind ---- */

static const struct service_case {
    const char *name;
    int code;
    enum apw_ldap_result result;
} service_cases[] = {
    {"a wrong password of the service is not permitted", 49, APW_LDAP_NOT_PERMITTED},
    {"inappropriateAuthentication to the service is not permitted", 48, APW_LDAP_NOT_PERMITTED},
    {"noSuchObject to the service is an outage", 32, APW_LDAP_UNAVAILABLE},
    {"unwillingToPerform to the service is an outage", 53, APW_LDAP_UNAVAILABLE},
    {"confidentialityRequired to the service is an outage", 13, APW_LDAP_UNAVAILABLE},
    {"busy to the service is an outage", 51, APW_LDAP_UNAVAILABLE},
};

static bool answer_service_row(const struct request *request)
{
    const struct service_case *row = request->row;

    return responder_result(request, BIND_RESPONSE, row->code, NULL, NULL);
}

static void test_service(void **state)
{
    const struct service_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_service_row, row);
    assert_int_equal(search(directory, &entries), row->result);
    assert_null(entries);
    assert_error_is_set();
    assert_contains(last_error.text, "bind as " SERVICE_DN);
    assert_int_equal(responder_seen().searches, 0);
    apw_directory_free(&directory);
}

static void test_unix_socket(void **state)
{
    struct apw_directory *directory = open_directory(RESPONDER_PORTS, PLENTY_MS);

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[RESPONDER_PORTS], 2);
    apw_directory_free(&directory);
}

static void test_external(void **state)
{
    const struct apw_identity identity = {.method = APW_BIND_EXTERNAL};
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(RESPONDER_PORTS)}};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .timeout_ms = PLENTY_MS};
    struct apw_directory *directory;
    struct seen seen;

    (void)state;
    responder_expect(answer_well, NULL);
    assert_int_equal(apw_directory_new(&settings, &directory, &last_error), 0);
    assert_search_is_ok(directory);
    seen = responder_seen();
    assert_non_null(memmem(seen.bind, seen.bind_length,
                           BYTES("\xa3\x0c\x04\x08"
                                 "EXTERNAL\x04")));
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_ROWS(raw_cases, test_raw);
    UNIT_ROWS(raw_cases, test_raw_at_service);
    UNIT_ROWS(raw_cases, test_raw_at_search);
    UNIT_TEST("an answer that trickles in ends at the deadline", test_trickle);
    UNIT_TEST("without time left nothing is sent", test_no_time_left);
    UNIT_ROWS(service_cases, test_service);
    UNIT_TEST("a Unix socket works as well", test_unix_socket);
    UNIT_TEST("bind external is a SASL bind", test_external);
    return responder_unit_run();
}
