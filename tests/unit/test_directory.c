/* The directory's side of a login, with a server that answers what a directory should not. */
#include "clock.h"
#include "ldap/directory.h"
#include "ldap/filter.h"
#include "ldap/schema.h"
#include "responder.h"
#include "unit.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BYTES(text) text, sizeof text - 1
#define SERVICE_DN  "cn=mail,dc=example,dc=org"
#define SERVICE_PW  "service secret"
#define USER_DN     "uid=alice,dc=example,dc=org"
#define USER_PW     "correct horse"
#define POLICY_OID  "1.3.6.1.4.1.42.2.27.8.5.1"

#define TIMEOUT_MS 150   /* where nothing will come */
#define PLENTY_MS  20000 /* where it will; also what "in time" is held against */

static struct apw_error error;

/* ---- the directory under test ---- */

static struct apw_directory *open_with(const struct apw_uris *uris, int timeout_ms, bool start_tls)
{
    const struct apw_identity identity = {.dn = (char *)SERVICE_DN, .password = (char *)SERVICE_PW};
    char ca_path[UNIT_PATH_SIZE];
    const struct apw_directory_settings settings = {.uris = uris,
                                                    .identity = &identity,
                                                    .start_tls = start_tls,
                                                    .tls_cacert = unit_path("ca.pem", ca_path),
                                                    .timeout_ms = timeout_ms};
    struct apw_directory *directory;

    error.text[0] = '\0';
    if (start_tls)
        __lsan_disable(); /* libldap has no way to give a TLS context back */
    if (apw_directory_new(&settings, &directory, &error) != 0)
        fail_msg("%s", error.text);
    if (start_tls)
        __lsan_enable();
    return directory;
}

/* The directory behind one listener, or behind the first two. */
static struct apw_directory *open_directory(int listener, int timeout_ms)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(listener)}};

    return open_with(&uris, timeout_ms, false);
}

static struct apw_directory *open_two(const char *first, const char *second)
{
    const struct apw_uris uris = {.count = 2, .uri = {(char *)first, (char *)second}};

    return open_with(&uris, PLENTY_MS, false);
}

static int64_t in_ms(int64_t milliseconds)
{
    return apw_clock_monotonic_ms() + milliseconds;
}

static enum apw_user_bind bind_within(struct apw_directory *directory, int64_t milliseconds)
{
    return apw_directory_bind_user(directory, USER_DN, BYTES(USER_PW), in_ms(milliseconds), &error);
}

static enum apw_user_bind bind_user(struct apw_directory *directory)
{
    return bind_within(directory, PLENTY_MS);
}

static enum apw_ldap_result search_within(struct apw_directory *directory, unsigned limit,
                                          int64_t milliseconds, struct apw_entry **entries_r)
{
    static const char *const attributes[] = {"uid", "mail", NULL};

    const struct apw_query query = {.base = "dc=example,dc=org",
                                    .filter = "(uid=alice)",
                                    .attributes = attributes,
                                    .limit = limit};

    return apw_directory_search(directory, &query, in_ms(milliseconds), entries_r, &error);
}

static enum apw_ldap_result search(struct apw_directory *directory, struct apw_entry **entries_r)
{
    return search_within(directory, 2, PLENTY_MS, entries_r);
}

static void assert_search_is_ok(struct apw_directory *directory)
{
    struct apw_entry *entries;

    if (search(directory, &entries) != APW_LDAP_OK)
        fail_msg("%s", error.text);
    assert_non_null(entries);
    apw_entries_free(&entries);
}

/* An error says something, and never a password. */
static void assert_error_is_told(void)
{
    assert_true(error.text[0] != '\0');
    assert_null(strstr(error.text, SERVICE_PW));
    assert_null(strstr(error.text, USER_PW));
}

static size_t count_entries(const struct apw_entry *entries)
{
    size_t count = 0;

    for (; entries != NULL; entries = entries->next)
        count++;
    return count;
}

/* ---- answers ---- */

static const char *const alice[] = {"uid", "alice", "mail", "alice@example.org", NULL};

static bool accept_bind(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
}

/* A directory in order: binds succeed, a search finds alice. */
static bool answer_well(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    if (request->operation == MODIFY_REQUEST)
        return responder_result(request, MODIFY_RESPONSE, 0, NULL, NULL);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* ---- row 8: each answer to the user's bind ---- */

#define NO_CONTROL       NULL, NULL, 0
#define POLICY(value)    POLICY_OID, BYTES(value)
#define POLICY_ERROR(n)  POLICY("\x30\x03\x81\x01" n)
#define ACCOUNT_LOCKED   POLICY_ERROR("\x01")
#define CHANGE_AFTER_RST POLICY_ERROR("\x02")
#define PASSWORD_EXPIRED POLICY_ERROR("\0")
#define GARBLED          POLICY("\xff\xff\xff")

static const struct bind_case {
    const char *name;
    int code;
    const char *oid;
    const char *value;
    size_t length;
    enum apw_user_bind result;
} bind_cases[] = {
    {"success is accepted", 0, NO_CONTROL, APW_USER_BIND_OK},
    {"invalidCredentials is a wrong password", 49, NO_CONTROL, APW_USER_BIND_WRONG},
    {"inappropriateAuthentication is a wrong password", 48, NO_CONTROL, APW_USER_BIND_WRONG},
    {"noSuchObject is a wrong password", 32, NO_CONTROL, APW_USER_BIND_WRONG},
    {"constraintViolation is a locked account", 19, NO_CONTROL, APW_USER_BIND_LOCKED},
    {"unwillingToPerform is a locked account", 53, NO_CONTROL, APW_USER_BIND_LOCKED},
    {"operationsError is an outage", 1, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"protocolError is an outage", 2, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"timeLimitExceeded is an outage", 3, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"compareFalse is an outage", 5, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"compareTrue is an outage", 6, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"authMethodNotSupported is an outage", 7, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"strongerAuthRequired is an outage", 8, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"referral is an outage", 10, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"adminLimitExceeded is an outage", 11, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"confidentialityRequired is an outage", 13, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"saslBindInProgress is an outage", 14, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"invalidDNSyntax is an outage", 34, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"insufficientAccessRights is an outage", 50, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"busy is an outage", 51, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"unavailable is an outage", 52, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"loopDetect is an outage", 54, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"other is an outage", 80, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"a code that nobody knows is an outage", 255, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"a code past a byte is an outage", 4096, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"a code below 0 is an outage", -1, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},
    {"the least code of all is an outage", INT32_MIN, NO_CONTROL, APW_USER_BIND_UNAVAILABLE},

    {"success with an empty policy control is accepted", 0, POLICY("\x30\0"), APW_USER_BIND_OK},
    {"success with a warning of expiry is accepted", 0, POLICY("\x30\x05\xa0\x03\x80\x01\x05"),
     APW_USER_BIND_OK},
    {"success with grace logins left is accepted", 0, POLICY("\x30\x05\xa0\x03\x81\x01\x02"),
     APW_USER_BIND_OK},
    {"success with accountLocked is locked", 0, ACCOUNT_LOCKED, APW_USER_BIND_LOCKED},
    {"success with changeAfterReset must change", 0, CHANGE_AFTER_RST, APW_USER_BIND_MUST_CHANGE},
    {"success with a warning and changeAfterReset must change", 0,
     POLICY("\x30\x08\xa0\x03\x80\x01\x05\x81\x01\x02"), APW_USER_BIND_MUST_CHANGE},
    {"success with passwordExpired is an outage", 0, PASSWORD_EXPIRED, APW_USER_BIND_UNAVAILABLE},
    {"success with passwordModNotAllowed is an outage", 0, POLICY_ERROR("\x03"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with an unknown policy error is an outage", 0, POLICY_ERROR("\x63"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with a garbled policy control is an outage", 0, GARBLED, APW_USER_BIND_UNAVAILABLE},
    {"success with a policy control cut short is an outage", 0, POLICY("\x30\x03\x81"),
     APW_USER_BIND_UNAVAILABLE},
    {"success with an empty value of the policy control is an outage", 0, POLICY(""),
     APW_USER_BIND_UNAVAILABLE},
    {"success with a policy control without a value is an outage", 0, POLICY_OID, NULL, 0,
     APW_USER_BIND_UNAVAILABLE},
    {"success with a control that is none of ours is accepted", 0, "1.2.3.4",
     BYTES("\x30\x03\x81\x01\x01"), APW_USER_BIND_OK},
    {"invalidCredentials with accountLocked is locked", 49, ACCOUNT_LOCKED, APW_USER_BIND_LOCKED},
    {"invalidCredentials with passwordExpired is a wrong password", 49, PASSWORD_EXPIRED,
     APW_USER_BIND_WRONG},
    {"invalidCredentials with a garbled control is a wrong password", 49, GARBLED,
     APW_USER_BIND_WRONG},
    {"unwillingToPerform with a garbled control is locked", 53, GARBLED, APW_USER_BIND_LOCKED},
    {"busy with changeAfterReset is an outage", 51, CHANGE_AFTER_RST, APW_USER_BIND_UNAVAILABLE},
};

static bool answer_bind_row(const struct request *request)
{
    const struct bind_case *row = request->row;
    const struct control control = {row->oid, row->value, row->length};

    return responder_result(request, BIND_RESPONSE, row->code, row->oid != NULL ? &control : NULL,
                            NULL);
}

static void test_bind(void **state)
{
    const struct bind_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    enum apw_user_bind result;

    responder_expect(answer_bind_row, row);
    result = bind_user(directory);
    assert_int_equal(result, row->result);
    if (result == APW_USER_BIND_UNAVAILABLE)
        assert_error_is_told();
    else
        assert_string_equal(error.text, "");
    assert_int_equal(responder_seen().binds, 1);
    assert_true(responder_wait_closed(1)); /* a connection of its own, closed behind it */
    apw_directory_free(&directory);
}

/* Exactly the password's bytes, with the control asked for and not critical. */
static void test_bind_request(void **state)
{
    static const char password[] = " p\xc3\xa4ss\\*\xff ";
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    BerElement *ber;
    struct berval value, dn, credentials;
    ber_int_t id, version;
    struct seen seen;

    (void)state;
    responder_expect(accept_bind, NULL);
    assert_int_equal(apw_directory_bind_user(directory, USER_DN, password, sizeof password - 2,
                                             in_ms(PLENTY_MS), &error),
                     APW_USER_BIND_OK);
    seen = responder_seen();
    value = (struct berval){.bv_len = seen.bind_length, .bv_val = seen.bind};
    ber = ber_init(&value);
    assert_non_null(ber);
    assert_true(ber_scanf(ber, "{i{imm", &id, &version, &dn, &credentials) != LBER_ERROR);
    assert_int_equal(version, 3);
    assert_int_equal(dn.bv_len, strlen(USER_DN));
    assert_memory_equal(dn.bv_val, USER_DN, dn.bv_len);
    assert_int_equal(credentials.bv_len, sizeof password - 2);
    assert_memory_equal(credentials.bv_val, password, credentials.bv_len);
    assert_non_null(memmem(seen.bind, seen.bind_length, BYTES(POLICY_OID)));
    ber_free(ber, 1);
    apw_directory_free(&directory);
}

/* An anonymous bind would succeed. */
static void test_anonymous_bind(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(accept_bind, NULL);
    assert_int_equal(apw_directory_bind_user(directory, USER_DN, "", 0, in_ms(PLENTY_MS), &error),
                     APW_USER_BIND_WRONG);
    assert_int_equal(
        apw_directory_bind_user(directory, "", BYTES(USER_PW), in_ms(PLENTY_MS), &error),
        APW_USER_BIND_WRONG);
    assert_int_equal(responder_seen().connections[0], 0);
    apw_directory_free(&directory);
}

/* ---- answers that are none ---- */

enum afterwards { THEN_SILENCE = 0, THEN_CLOSE };

#define ACCEPTED_BIND "\x61\x07\x0a\x01\0\x04\0\x04\0"

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
    {"an answer behind a notice to nobody is accepted",
     BYTES("\x30\x0c\x02\x01\0\x78\x07\x0a\x01\x34\x04\0\x04\0"
           "\x30\x0c\x02\x01\x01" ACCEPTED_BIND),
     THEN_SILENCE, APW_USER_BIND_OK},
    {"silence is an outage", BYTES(""), THEN_SILENCE, APW_USER_BIND_UNAVAILABLE},
    {"a closed connection is an outage", BYTES(""), THEN_CLOSE, APW_USER_BIND_UNAVAILABLE},
    {"an answer cut short is an outage", BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04"),
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

/* libldap 2.5 forgets 80 bytes at a notice of disconnection. */
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
        assert_error_is_told();
    apw_directory_free(&directory);
}

/* The same bytes where the service's bind and a search are waited for. */
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
        assert_error_is_told();
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

    raw_begin(row); /* with message 1 where message 2 is waited for */
    responder_expect(answer_raw_to_search, row);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_error_is_told();
    raw_end(row);
    apw_directory_free(&directory);
}

/* An answer that trickles in: every byte in time, the whole of it never. */
static bool answer_slowly(const struct request *request)
{
    static const char bytes[] = "\x30\x0c\x02\x01\x01" ACCEPTED_BIND;

    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        responder_send(request, bytes + i, 1);
        usleep(200 * 1000); /* 2.8 seconds in all */
    }
    return false;
}

static void test_trickle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    responder_expect(answer_slowly, NULL);
    assert_int_equal(bind_within(directory, 500), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, 450, 2000);
    assert_error_is_told();
    apw_directory_free(&directory);
}

static void test_no_time_left(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_well, NULL);
    assert_int_equal(bind_within(directory, -1), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_told();
    assert_int_equal(search_within(directory, 2, -1, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_error_is_told();
    assert_int_equal(responder_seen().connections[0], 0);
    apw_directory_free(&directory);
}

/* ---- searches ---- */

static const struct search_case {
    const char *name;
    int code;
    unsigned entries; /* sent before it */
    unsigned limit;
    enum apw_ldap_result result;
} search_cases[] = {
    {"nothing found is OK", 0, 0, 2, APW_LDAP_OK},
    {"one found is OK", 0, 1, 2, APW_LDAP_OK},
    {"three found without a limit are OK", 0, 3, 0, APW_LDAP_OK},
    {"sizeLimitExceeded at our own limit is OK", 4, 2, 2, APW_LDAP_OK},
    {"sizeLimitExceeded before our limit is an outage", 4, 1, 2, APW_LDAP_UNAVAILABLE},
    {"sizeLimitExceeded with nothing is an outage", 4, 0, 2, APW_LDAP_UNAVAILABLE},
    {"sizeLimitExceeded without a limit is an outage", 4, 2, 0, APW_LDAP_UNAVAILABLE},
    {"noSuchObject is its own result", 32, 0, 2, APW_LDAP_NO_SUCH_OBJECT},
    {"insufficientAccessRights is not permitted", 50, 0, 2, APW_LDAP_NOT_PERMITTED},
    {"operationsError with an entry is an outage", 1, 1, 2, APW_LDAP_UNAVAILABLE},
    {"timeLimitExceeded with an entry is an outage", 3, 1, 2, APW_LDAP_UNAVAILABLE},
    {"adminLimitExceeded with entries is an outage", 11, 2, 2, APW_LDAP_UNAVAILABLE},
    {"a referral with an entry is an outage", 10, 1, 2, APW_LDAP_UNAVAILABLE},
    {"invalidCredentials is an outage", 49, 0, 2, APW_LDAP_UNAVAILABLE},
    {"busy is an outage", 51, 0, 2, APW_LDAP_UNAVAILABLE},
    {"unavailable is an outage", 52, 0, 2, APW_LDAP_UNAVAILABLE},
    {"unwillingToPerform is an outage", 53, 0, 2, APW_LDAP_UNAVAILABLE},
    {"other is an outage", 80, 1, 2, APW_LDAP_UNAVAILABLE},
    {"a code that nobody knows is an outage", 4096, 1, 2, APW_LDAP_UNAVAILABLE},
};

static bool answer_search_row(const struct request *request)
{
    const struct search_case *row = request->row;

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    for (unsigned i = 0; i < row->entries; i++)
        responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, row->code, NULL,
                            row->code == 10 ? responder_uri(1) : NULL);
}

static void test_search(void **state)
{
    const struct search_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_search_row, row);
    assert_int_equal(search_within(directory, row->limit, PLENTY_MS, &entries), row->result);
    if (row->result == APW_LDAP_OK) {
        assert_int_equal(count_entries(entries), row->entries);
        assert_string_equal(error.text, "");
    } else {
        assert_null(entries);
        assert_error_is_told();
        assert_contains(error.text, responder_uri(0));
    }
    assert_int_equal(responder_seen().connections[1], 0); /* no referral is followed */
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

static bool answer_with_rich_entry(const struct request *request)
{
    static const char *const rich[] = {"uid", "alice", "cn;lang-en", "Alice", "CN",
                                       "",    "x",     "\xff\x01",   NULL};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, rich);
    responder_entry(request, "", alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_entry(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    const struct apw_attribute *attribute;
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_with_rich_entry, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_OK);
    assert_int_equal(count_entries(entries), 2);
    assert_string_equal(entries->dn, USER_DN);
    assert_string_equal(entries->next->dn, "");
    attribute = apw_entry_attribute(entries, "UID");
    assert_int_equal(attribute->count, 1);
    assert_string_equal(attribute->value[0].bytes, "alice");
    attribute = apw_entry_attribute(entries, "cn"); /* not the one with an option */
    assert_int_equal(attribute->count, 1);
    assert_int_equal(attribute->value[0].length, 0);
    assert_string_equal(attribute->value[0].bytes, "");
    attribute = apw_entry_attribute(entries, "x");
    assert_memory_equal(attribute->value[0].bytes, "\xff\x01", 3);
    assert_null(apw_entry_attribute(entries, "mail"));
    assert_int_equal(entries->attribute_count, 4);
    assert_true(entries->attribute[1].has_options);
    assert_string_equal(entries->attribute[1].name, "cn");
    apw_entries_free(&entries);
    assert_null(entries);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

/* ---- entries that are none ---- */

/* An attribute that cannot be read could be the one that locks the account. */
static const struct entry_case {
    const char *name;
    const char *bytes;
    size_t length;
    enum apw_ldap_result result;
} entry_cases[] = {
    {"the bytes of an entry are read",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a"),
     APW_LDAP_OK},
    {"an entry without attributes is read", BYTES("\x30\x0c\x02\x01\x02\x64\x07\x04\x03o=x\x30\0"),
     APW_LDAP_OK},
    {"an entry with a value cut short is an outage",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x03\x04\x7f"
           "a"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with values cut short is an outage",
     BYTES("\x30\x16\x02\x01\x02\x64\x11\x04\x03o=x\x30\x0a\x30\x08\x04\x01u\x31\x7f\x04\x01"
           "a"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with a second attribute cut short is an outage",
     BYTES("\x30\x1a\x02\x01\x02\x64\x15\x04\x03o=x\x30\x0e\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a\x30\x08\x04\x01"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with something else among its attributes is an outage",
     BYTES("\x30\x18\x02\x01\x02\x64\x13\x04\x03o=x\x30\x0c\x30\x08\x04\x01u\x31\x03\x04\x01"
           "a\x05\0"),
     APW_LDAP_UNAVAILABLE},
    {"an entry without a DN is an outage", BYTES("\x30\x07\x02\x01\x02\x64\x02\x30\0"),
     APW_LDAP_UNAVAILABLE},
    {"an entry with a NUL in its DN is an outage",
     BYTES("\x30\x0c\x02\x01\x02\x64\x07\x04\x03o\0x\x30\0"), APW_LDAP_UNAVAILABLE},
    {"an entry with a NUL in an attribute's name is an outage",
     BYTES("\x30\x17\x02\x01\x02\x64\x12\x04\x03o=x\x30\x0b\x30\x09\x04\x02u\0\x31\x03\x04"
           "\x01"
           "a"),
     APW_LDAP_UNAVAILABLE},
};

static bool answer_entry_row(const struct request *request)
{
    const struct entry_case *row = request->row;

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_send(request, row->bytes, row->length);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_entry_bytes(void **state)
{
    const struct entry_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_entry_row, row);
    if (row->result != APW_LDAP_OK)
        __lsan_disable(); /* libldap 2.5 forgets a request whose answer it cannot decode */
    assert_int_equal(search(directory, &entries), row->result);
    if (row->result != APW_LDAP_OK) {
        __lsan_enable();
        assert_error_is_told();
    }
    assert_int_equal(count_entries(entries), row->result == APW_LDAP_OK);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

/* ---- searches by pages ---- */

#define PAGES_OID "1.2.840.113556.1.4.319"
#define LAST_PAGE PAGES_OID, BYTES("\x30\x05\x02\x01\0\x04\0")

static const struct page_case {
    const char *name;
    const char *oid;
    const char *value;
    size_t length;
    int code;
    enum apw_ldap_result result;
} page_cases[] = {
    {"a page without a control is the last", NULL, NULL, 0, 0, APW_LDAP_OK},
    {"a page with an empty cookie is the last", LAST_PAGE, 0, APW_LDAP_OK},
    {"a page control without a value is an outage", PAGES_OID, NULL, 0, 0, APW_LDAP_UNAVAILABLE},
    {"a page control with an empty value is an outage", PAGES_OID, BYTES(""), 0,
     APW_LDAP_UNAVAILABLE},
    {"a garbled page control is an outage", PAGES_OID, BYTES("\x30\x7f\x02"), 0,
     APW_LDAP_UNAVAILABLE},
    {"pages that end at a limit are refused", LAST_PAGE, 4, APW_LDAP_REFUSED},
    {"pages of a busy server are an outage", LAST_PAGE, 51, APW_LDAP_UNAVAILABLE},
};

static bool answer_page_row(const struct request *request)
{
    const struct page_case *row = request->row;
    const struct control control = {row->oid, row->value, row->length};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, row->code, row->oid != NULL ? &control : NULL,
                            NULL);
}

static int count_visits(void *context, const struct apw_entry *entry)
{
    assert_string_equal(entry->dn, USER_DN);
    return ++*(int *)context == 5;
}

static enum apw_ldap_result search_pages(struct apw_directory *directory, int *visits_r)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_query query = {
        .base = "dc=example,dc=org", .filter = "(uid=*)", .attributes = attributes};

    *visits_r = 0;
    return apw_directory_search_each(directory, &query, PLENTY_MS, count_visits, visits_r, &error);
}

static void test_page(void **state)
{
    const struct page_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int visits;

    responder_expect(answer_page_row, row);
    assert_int_equal(search_pages(directory, &visits), row->result);
    assert_int_equal(visits, 1);
    if (row->result != APW_LDAP_OK)
        assert_error_is_told();
    apw_directory_free(&directory);
}

/* There is always a further page. */
static bool answer_with_more_pages(const struct request *request)
{
    static const struct control more = {PAGES_OID, BYTES("\x30\x06\x02\x01\0\x04\x01x")};

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, &more, NULL);
}

static void test_pages_end_by_visitor(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int visits;

    (void)state;
    responder_expect(answer_with_more_pages, NULL);
    assert_int_equal(search_pages(directory, &visits), APW_LDAP_OK);
    assert_int_equal(visits, 5);
    apw_directory_free(&directory);
}

static bool answer_with_reference(const struct request *request)
{
    char reference[200];
    size_t length = strlen(responder_uri(1));

    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    /* SearchResultReference (RFC 4511, 4.5.2) of one URI */
    snprintf(reference, sizeof reference, "\x30%c\x02\x01%c\x73%c\x04%c%s", (char)(length + 7),
             (char)request->id, (char)(length + 2), (char)length, responder_uri(1));
    responder_send(request, reference, length + 9);
    responder_entry(request, USER_DN, alice);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void test_reference(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_with_reference, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_OK);
    assert_int_equal(count_entries(entries), 1);
    assert_int_equal(responder_seen().connections[1], 0);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

static bool answer_with_referral_to_bind(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, 10, NULL, responder_uri(1));
}

static void test_referral(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_with_referral_to_bind, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_int_equal(responder_seen().connections[1], 0);
    apw_directory_free(&directory);
}

/* ---- the service's own bind ---- */

static const struct service_case {
    const char *name;
    int code;
    enum apw_ldap_result result;
} service_cases[] = {
    {"the service's wrong password is not permitted", 49, APW_LDAP_NOT_PERMITTED},
    {"the service without a password is not permitted", 48, APW_LDAP_NOT_PERMITTED},
    {"a service that is not there is an outage", 32, APW_LDAP_UNAVAILABLE},
    {"a service that is refused is an outage", 53, APW_LDAP_UNAVAILABLE},
    {"a service that needs TLS is an outage", 13, APW_LDAP_UNAVAILABLE},
    {"a service that meets a busy server is an outage", 51, APW_LDAP_UNAVAILABLE},
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
    assert_error_is_told();
    assert_contains(error.text, "bind as " SERVICE_DN);
    assert_int_equal(responder_seen().searches, 0);
    apw_directory_free(&directory);
}

/* ---- the kept connection ---- */

static void test_kept(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct seen seen;

    (void)state;
    responder_expect(answer_well, NULL);
    for (int i = 0; i < 3; i++)
        assert_search_is_ok(directory);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_true(responder_wait_closed(1)); /* the user's, not the kept one */
    assert_search_is_ok(directory);
    seen = responder_seen();
    assert_int_equal(seen.connections[0], 2);
    assert_int_equal(seen.binds, 2);
    assert_int_equal(seen.searches, 4);
    apw_directory_free(&directory);
    assert_true(responder_wait_closed(2));
    assert_int_equal(responder_seen().unbinds, 2);
}

/* Nobody is found, and 3 MiB say so. */
static bool answer_wordily(const struct request *request)
{
    static const char header[] = "\x30\x83\x30\0\x12\x02\x01";
    static const char result[] = "\x65\x83\x30\0\x0a\x0a\x01\0\x04\0\x04\x83\x30\0\0";
    const char id = (char)request->id;
    char *words;

    if (request->operation != SEARCH_REQUEST)
        return answer_well(request);
    words = unit_repeat("nobody", 0x300000 / strlen("nobody") + 1);
    responder_send(request, BYTES(header));
    responder_send(request, &id, 1);
    responder_send(request, BYTES(result));
    responder_send(request, words, 0x300000);
    free(words);
    return true;
}

/* What one answer may take, the next may take again, over the same connection. */
static void test_long_answers(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(answer_wordily, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(search(directory, &entries), APW_LDAP_OK);
        assert_null(entries);
    }
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

/* An idle server that has closed. */
static void test_closed_while_idle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    responder_expect(answer_well, NULL); /* drops the connection */
    assert_search_is_ok(directory);
    assert_string_equal(error.text, "");
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

/* It closes just when it is asked the second time. */
static bool close_on_third_request(const struct request *request)
{
    return request->number < 3 && answer_well(request);
}

static void test_closed_while_asked(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(close_on_third_request, NULL);
    for (int i = 0; i < 3; i++)
        assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 3);
    apw_directory_free(&directory);
}

/* An entry, then the end of the connection: what came is thrown away, and it is asked once more. */
static bool close_amid_first_search(const struct request *request)
{
    if (request->operation == BIND_REQUEST || responder_seen().searches > 1)
        return answer_well(request);
    responder_entry(request, "uid=half,dc=example,dc=org", alice);
    return false;
}

static void test_closed_amid_answer(void **state)
{
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));
    struct apw_entry *entries;

    (void)state;
    responder_expect(close_amid_first_search, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_OK);
    assert_int_equal(count_entries(entries), 1);
    assert_string_equal(entries->dn, USER_DN);
    apw_entries_free(&entries);
    apw_directory_free(&directory);
}

/* What came of the first attempt does not count towards the limit of the second. */
static bool close_amid_first_search_then_limit(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return accept_bind(request);
    responder_entry(request, USER_DN, alice);
    return responder_seen().searches > 1 && responder_result(request, SEARCH_DONE, 4, NULL, NULL);
}

static void test_limit_after_closed(void **state)
{
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));
    struct apw_entry *entries;

    (void)state;
    responder_expect(close_amid_first_search_then_limit, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    apw_directory_free(&directory);
}

static bool close_on_every_search(const struct request *request)
{
    return request->operation == BIND_REQUEST && accept_bind(request);
}

static void test_closed_always(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    (void)state;
    responder_expect(close_on_every_search, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_int_equal(responder_seen().searches, 1); /* a fresh connection is not tried again */
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
    assert_int_equal(apw_directory_new(&settings, &directory, &error), 0);
    assert_search_is_ok(directory);
    seen = responder_seen();
    assert_non_null(memmem(seen.bind, seen.bind_length,
                           BYTES("\xa3\x0c\x04\x08"
                                 "EXTERNAL\x04")));
    apw_directory_free(&directory);
}

/* A child must not say a word on its parent's connection. */
static void test_fork(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int status;
    pid_t child;

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    child = fork();
    if (child == 0) {
        struct apw_entry *entries;
        bool is_ok = search(directory, &entries) == APW_LDAP_OK && entries != NULL;

        apw_entries_free(&entries);
        apw_directory_free(&directory);
        _exit(is_ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(responder_seen().connections[0], 2);
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 2); /* the parent's still stands */
    apw_directory_free(&directory);
}

/* A child that does not ask leaves without a goodbye. */
static void test_fork_and_leave(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int status;
    pid_t child;

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    child = fork();
    if (child == 0) {
        apw_directory_free(&directory);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 1);
    assert_int_equal(responder_seen().unbinds, 0);
    apw_directory_free(&directory);
}

static void *search_often(void *argument)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_query query = {
        .base = "dc=example", .filter = "(uid=alice)", .attributes = attributes, .limit = 2};
    int failures = 0;

    for (int i = 0; i < 25; i++) {
        struct apw_error mine;
        struct apw_entry *entries;

        failures += apw_directory_search(argument, &query, in_ms(PLENTY_MS), &entries, &mine) !=
                        APW_LDAP_OK ||
                    count_entries(entries) != 1;
        apw_entries_free(&entries);
    }
    return failures == 0 ? NULL : argument;
}

static void test_threads(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    pthread_t threads[4];

    (void)state;
    responder_expect(answer_well, NULL);
    for (size_t i = 0; i < UNIT_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_often, directory), 0);
    for (size_t i = 0; i < UNIT_COUNT(threads); i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(responder_seen().searches, 100);
    apw_directory_free(&directory);
}

/* ---- signals ---- */

/* Says nothing; where the row says which listener, all but that one. */
static bool answer_but_silent(const struct request *request)
{
    const int *talker = request->row;

    return talker == NULL || request->listener != *talker ? true : answer_well(request);
}

static atomic_bool is_disturbing;

static void ignore(int number)
{
    (void)number;
}

/* Interrupts whatever the asking thread waits in, a hundred times a second. */
static void *disturb(void *asking)
{
    while (atomic_load(&is_disturbing)) {
        pthread_kill(*(pthread_t *)asking, SIGUSR1);
        usleep(10 * 1000);
    }
    return NULL;
}

static bool answer_after_a_while(const struct request *request)
{
    usleep(60 * 1000);
    return answer_well(request);
}

/* The host program's signals, an alarm or a child's end, are no outage. */
static void test_signals(void **state)
{
    struct sigaction action = {.sa_handler = ignore}, before;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    pthread_t asking = pthread_self(), disturbing;
    int64_t start;

    (void)state;
    responder_expect(answer_after_a_while, NULL);
    sigaction(SIGUSR1, &action, &before);
    atomic_store(&is_disturbing, true);
    assert_int_equal(pthread_create(&disturbing, NULL, disturb, &asking), 0);
    for (int i = 0; i < 2; i++) /* on a fresh connection, and on the kept one */
        assert_search_is_ok(directory);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 2);
    apw_directory_free(&directory);

    /* Nor do they prolong one. */
    directory = open_directory(0, TIMEOUT_MS);
    responder_expect(answer_but_silent, NULL);
    start = apw_clock_monotonic_ms();
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, TIMEOUT_MS - 20, 2 * TIMEOUT_MS);
    apw_directory_free(&directory);
    atomic_store(&is_disturbing, false);
    pthread_join(disturbing, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- several servers ---- */

/* A URI behind which nobody listens. */
static const char *dead_uri(void)
{
    static char uri[64];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    snprintf(uri, sizeof uri, "ldap://127.0.0.1:%d", ntohs(address.sin_port));
    return uri;
}

static void test_first_dead(void **state)
{
    struct apw_directory *directory = open_two(dead_uri(), responder_uri(0));

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    assert_string_equal(error.text, "");
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    apw_directory_free(&directory);
}

static void test_all_dead(void **state)
{
    struct apw_directory *directory = open_two(dead_uri(), "ldapi://%2Fnonexistent%2Fldapi");
    struct apw_entry *entries;

    (void)state;
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_contains(error.text, "ldap://127.0.0.1:");
    assert_contains(error.text, "Connection refused");
    assert_contains(error.text, "ldapi://%2Fnonexistent%2Fldapi");
    assert_contains(error.text, "/nonexistent/ldapi: No such file or directory");
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_told();
    apw_directory_free(&directory);
}

static bool first_is_busy(const struct request *request)
{
    return request->listener == 0 ? responder_result(request, BIND_RESPONSE, 51, NULL, NULL)
                                  : accept_bind(request);
}

static void test_passed_over(void **state)
{
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

    (void)state;
    responder_expect(first_is_busy, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 1); /* once, then passed over */
    assert_int_equal(responder_seen().connections[1], 3);
    apw_directory_free(&directory);
}

/* The first login finds out, each later one waits for one timeout, however many servers there are.
 */
static void test_silent(void **state)
{
    const struct apw_uris uris = {
        .count = 3,
        .uri = {(char *)responder_uri(0), (char *)responder_uri(1), (char *)responder_uri(2)}};
    struct apw_directory *directory = open_with(&uris, TIMEOUT_MS, false);
    static const int talker = 2;
    struct apw_entry *entries;
    int64_t start;

    (void)state;
    responder_expect(answer_but_silent, NULL);
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    for (int i = 0; i < 6; i++) {
        start = apw_clock_monotonic_ms();
        assert_int_equal(i % 2 == 0 ? search(directory, &entries) == APW_LDAP_UNAVAILABLE
                                    : bind_user(directory) == APW_USER_BIND_UNAVAILABLE,
                         true);
        assert_in_range(apw_clock_monotonic_ms() - start, TIMEOUT_MS - 20, 2 * TIMEOUT_MS - 20);
    }
    for (int i = 0; i < RESPONDER_LISTENERS; i++)
        assert_int_equal(responder_seen().connections[i], 7); /* each has its share */

    /* Whichever comes back is asked at once. */
    responder_expect(answer_but_silent, &talker);
    assert_search_is_ok(directory);
    apw_directory_free(&directory);
}

/* A kept connection that has fallen silent speaks against its server. */
static bool answer_first_once(const struct request *request)
{
    if (request->listener == 0 && request->operation == SEARCH_REQUEST && request->number > 2)
        return true;
    return answer_well(request);
}

static void test_kept_silent(void **state)
{
    const struct apw_uris uris = {.count = 2,
                                  .uri = {(char *)responder_uri(0), (char *)responder_uri(1)}};
    struct apw_directory *directory = open_with(&uris, TIMEOUT_MS, false);

    (void)state;
    responder_expect(answer_first_once, NULL);
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[1], 0);
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 1);
    assert_int_equal(responder_seen().connections[1], 1);
    apw_directory_free(&directory);
}

/* A wrong password at one server is an answer, not a reason to ask the next one. */
static bool answer_wrong_password(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, 49, NULL, NULL);
}

static void test_refusal_is_an_answer(void **state)
{
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

    (void)state;
    responder_expect(answer_wrong_password, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_WRONG);
    assert_int_equal(responder_seen().binds, 1);
    apw_directory_free(&directory);
}

/* ---- names ---- */

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r);

/* On this host every name is the address of a network. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **addresses_r)
{
    bool is_name = (hints->ai_flags & AI_NUMERICHOST) == 0;

    return __real_getaddrinfo(is_name ? "192.0.2.7" : host, port, hints, addresses_r);
}

/* Without TLS passwords stay on this host, whatever "localhost" means here. */
static void test_localhost_elsewhere(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)"ldap://localhost:1389"}};

    (void)state;
    for (int start_tls = 0; start_tls <= 1; start_tls++) {
        struct apw_directory *directory = open_with(&uris, TIMEOUT_MS, start_tls);
        struct apw_entry *entries;

        assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
        assert_int_equal(strstr(error.text, "outside the loopback") != NULL, !start_tls);
        assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
        assert_int_equal(strstr(error.text, "outside the loopback") != NULL, !start_tls);
        apw_directory_free(&directory);
    }
}

/* An IPv4 address is of the loopback also where it is written as an IPv6 one. */
static void test_mapped_loopback(void **state)
{
    char uri[64];
    const struct apw_uris uris = {.count = 1, .uri = {uri}};
    struct apw_directory *directory;

    (void)state;
    snprintf(uri, sizeof uri, "ldap://[::ffff:127.0.0.1]%s", strrchr(responder_uri(0), ':'));
    directory = open_with(&uris, PLENTY_MS, false);
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
    {"StartTLS that is unknown is an outage", 2, BYTES("")},
    {"StartTLS on a server that is not available is an outage", 52, BYTES("")},
    {"a handshake that nobody answers is an outage", 0, NULL, 0},
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
    struct apw_directory *directory = open_with(&uris, TIMEOUT_MS, true);
    int64_t start = apw_clock_monotonic_ms();
    struct apw_entry *entries;

    responder_expect(answer_tls_row, row);
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_told();
    assert_contains(error.text, "TLS: ");
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_int_equal(responder_seen().binds, 0); /* no password without TLS */
    assert_true(apw_clock_monotonic_ms() - start < PLENTY_MS / 2);
    apw_directory_free(&directory);
}

/* Every byte of the handshake comes in time, the whole of it never. */
static bool answer_tls_slowly(const struct request *request)
{
    if (request->operation == EXTENDED_REQUEST)
        return responder_result(request, EXTENDED_RESPONSE, 0, NULL, NULL);
    responder_send(request, BYTES("\x16\x03\x03\x40\0\x02\0\0\x46"));
    for (int i = 0; i < 60; i++) {
        responder_send(request, "", 1);
        usleep(50 * 1000);
    }
    return false;
}

static void test_tls_trickle(void **state)
{
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    struct apw_directory *directory = open_with(&uris, PLENTY_MS, true);
    int64_t start = apw_clock_monotonic_ms();

    (void)state;
    responder_expect(answer_tls_slowly, NULL);
    assert_int_equal(bind_within(directory, 500), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, 450, 2000);
    assert_contains(error.text, "TLS: no answer in time");
    assert_int_equal(responder_seen().binds, 0);
    apw_directory_free(&directory);
}

/* ---- modifications ---- */

static const struct modify_case {
    const char *name;
    int code; /* -1: none, the connection ends */
    enum apw_ldap_result result;
    const char *error;
} modify_cases[] = {
    {"a modification that succeeds is OK", 0, APW_LDAP_OK, ""},
    {"noSuchAttribute is a conflict", 16, APW_LDAP_CONFLICT, "modify " USER_DN},
    {"attributeOrValueExists is a conflict", 20, APW_LDAP_CONFLICT, "modify " USER_DN},
    {"insufficientAccessRights is not permitted to modify", 50, APW_LDAP_NOT_PERMITTED, "modify"},
    {"noSuchObject to a modification", 32, APW_LDAP_NO_SUCH_OBJECT, "modify"},
    {"objectClassViolation refuses the modification", 65, APW_LDAP_REFUSED, "modify"},
    {"constraintViolation refuses the modification", 19, APW_LDAP_REFUSED, "modify"},
    {"a replica refuses the modification", 10, APW_LDAP_READ_ONLY, "set write_uri"},
    {"a server that is read-only refuses the modification", 53, APW_LDAP_READ_ONLY, "modify"},
    {"busy to a modification is an outage", 51, APW_LDAP_UNAVAILABLE, "modify"},
    {"a lost answer to a modification is an outage", -1, APW_LDAP_UNAVAILABLE,
     "it may have been made"},
};

static bool answer_modify_row(const struct request *request)
{
    const struct modify_case *row = request->row;

    if (request->operation != MODIFY_REQUEST)
        return answer_well(request);
    return row->code >= 0 && responder_result(request, MODIFY_RESPONSE, row->code, NULL,
                                              row->code == 10 ? responder_uri(1) : NULL);
}

static enum apw_ldap_result modify(struct apw_directory *directory)
{
    static const struct apw_change changes[] = {{APW_CHANGE_DELETE, "appPassword", "old"},
                                                {APW_CHANGE_ADD, "appPassword", "new"},
                                                {APW_CHANGE_REPLACE, "description", NULL}};

    return apw_directory_modify(directory, USER_DN, changes, UNIT_COUNT(changes), in_ms(PLENTY_MS),
                                &error);
}

/* On a fresh connection, and on a kept one: sent once. */
static void test_modify(void **state)
{
    const struct modify_case *row = *state;

    for (int is_kept = 0; is_kept <= 1; is_kept++) {
        struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

        responder_expect(answer_modify_row, row);
        if (is_kept)
            assert_search_is_ok(directory);
        assert_int_equal(modify(directory), row->result);
        if (row->error[0] == '\0')
            assert_string_equal(error.text, "");
        else
            assert_contains(error.text, row->error);
        assert_int_equal(responder_seen().modifies, 1);
        assert_search_is_ok(directory); /* whatever became of it, the next question is answered */
        apw_directory_free(&directory);
    }
}

static void test_modify_after_idle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    responder_expect(answer_well, NULL); /* drops the connection */
    assert_int_equal(modify(directory), APW_LDAP_OK);
    assert_int_equal(responder_seen().modifies, 1);
    apw_directory_free(&directory);
}

/* ---- filters, DNs and settings ---- */

static const struct expand_case {
    const char *name;
    const char *template;
    const char *login;
    const char *filter;
} expand_cases[] = {
    {"%u is the login", "(uid=%u)", "alice", "(uid=alice)"},
    {"%u is the whole address", "(mail=%u)", "alice@example.org", "(mail=alice@example.org)"},
    {"%n is what is before the @", "(uid=%n)", "alice@example.org", "(uid=alice)"},
    {"%d is what is behind the @", "(o=%d)", "alice@example.org", "(o=example.org)"},
    {"%n without an @ is the login", "(uid=%n)", "alice", "(uid=alice)"},
    {"%d without an @ is empty", "(&(uid=%n)(o=%d))", "alice", "(&(uid=alice)(o=))"},
    {"the last @ counts", "(&(uid=%n)(o=%d))", "a@b@c", "(&(uid=a@b)(o=c))"},
    {"%% is a percent sign", "(&(uid=%u)(cn=100%%))", "alice", "(&(uid=alice)(cn=100%))"},
    {"a login is taken apart no further", "(uid=%u)", "%d%n%%", "(uid=%d%n%%)"},
    {"what is used twice", "(|(uid=%u)(mail=%u))", "a", "(|(uid=a)(mail=a))"},
    {"an asterisk is escaped", "(uid=%u)", "*", "(uid=\\2A)"},
    {"parentheses are escaped", "(uid=%u)", "a)(uid=b", "(uid=a\\29\\28uid=b)"},
    {"a backslash is escaped", "(uid=%u)", "\\2a", "(uid=\\5C2a)"},
    {"local part and domain are escaped", "(&(uid=%n)(o=%d))", "*@)(", "(&(uid=\\2A)(o=\\29\\28))"},
    {"a login of an @ alone", "(&(uid=%n)(o=%d)(mail=%u))", "@", "(&(uid=)(o=)(mail=@))"},
};

static void test_expand(void **state)
{
    const struct expand_case *row = *state;
    char *filter = apw_filter_expand(row->template, row->login);

    assert_string_equal(filter, row->filter);
    free(filter);
}

/* No byte of a login ends a filter's value. */
static void test_expand_every_byte(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char login[] = {'a', (char)byte, 'z', '\0'};
        char *filter = apw_filter_expand("(uid=%u)", login);

        assert_non_null(filter);
        assert_int_equal(apw_filter_check(filter, false, &error), 0);
        assert_int_equal(strcspn(filter + 1, "()*"), strlen(filter) - 2);
        free(filter);
    }
}

static const struct dn_case {
    const char *name;
    const char *dn;
    bool is_valid;
} dns[] = {
    {"a DN", "uid=alice,ou=People,dc=example,dc=org", true},
    {"a DN with an escaped comma", "cn=Smith\\, Alice,dc=example", true},
    {"a DN with an OID", "0.9.2342.19200300.100.1.1=alice,dc=example", true},
    {"a DN past ASCII", "cn=\xc3\x89lodie,dc=example", true},
    {"an empty DN is none", "", false},
    {"a word is no DN", "alice", false},
    {"a DN that ends in a comma is none", "dc=example,", false},
    {"two commas are no DN", "dc=a,,dc=b", false},
    {"a value without a type is no DN", "=a,dc=b", false},
};

static void test_dn(void **state)
{
    const struct dn_case *row = *state;

    assert_int_equal(apw_schema_is_dn(row->dn), row->is_valid);
}

/* Definitions that end where more is to come, on exactly as many bytes. */
static void test_schema(void **state)
{
    static const char *const broken[] = {"", "(", "( 1.2 NAME", "(8SYNTAX)", "( 1.2 SYNTAX "};
    struct apw_schema_element element;

    (void)state;
    assert_int_equal(
        apw_schema_parse("( 1.2 NAME 'a' EQUALITY caseExactMatch SYNTAX 1.3{5} )", false, &element),
        0);
    assert_string_equal(element.oid, "1.2");
    assert_string_equal(element.equality, "caseExactMatch");
    assert_string_equal(element.syntax, "1.3");
    assert_int_equal(apw_schema_parse("( 1.3 NAME 'b' AUXILIARY MAY a )", true, &element), 0);
    assert_string_equal(element.oid, "1.3");
    for (size_t i = 0; i < UNIT_COUNT(broken); i++) {
        char *copy = unit_copy(broken[i], strlen(broken[i]) + 1);

        __lsan_disable(); /* libldap 2.5 forgets what it had read until then */
        assert_int_equal(apw_schema_parse(copy, false, &element), -1);
        __lsan_enable();
        free(copy);
    }
}

static void test_bad_settings(void **state)
{
    const struct apw_identity empty = {.dn = (char *)SERVICE_DN, .password = (char *)""},
                              good = {.dn = (char *)SERVICE_DN, .password = (char *)SERVICE_PW};
    const struct apw_uris clear = {.count = 1, .uri = {(char *)"ldap://ldap.example.org"}},
                          loopback = {.count = 1, .uri = {(char *)"ldap://127.0.0.1"}},
                          tls = {.count = 1, .uri = {(char *)"ldaps://ldap.example.org"}};
    struct apw_directory_settings settings = {
        .uris = &clear, .identity = &good, .tls_cacert = "/nonexistent/ca.pem", .timeout_ms = 1000};
    struct apw_directory *directory;

    (void)state;
    assert_int_equal(apw_directory_new(&settings, &directory, &error), -1);
    assert_null(directory);
    assert_contains(error.text, "in the clear");
    settings.uris = &tls;
    __lsan_disable(); /* libldap forgets what it had of a TLS context */
    assert_int_equal(apw_directory_new(&settings, &directory, &error), -1);
    __lsan_enable();
    assert_null(directory);
    assert_contains(error.text, "/nonexistent/ca.pem");
    settings.uris = &loopback;
    settings.identity = &empty;
    assert_int_equal(apw_directory_new(&settings, &directory, &error), -1);
    assert_null(directory);
    assert_contains(error.text, "password of " SERVICE_DN " is empty");
    apw_directory_free(&directory);
}

int main(void)
{
    char path[UNIT_PATH_SIZE];

    unit_write(unit_path("ca.pem", path), ca_certificate, strlen(ca_certificate));
    UNIT_ROWS(bind_cases, test_bind);
    UNIT_TEST("the user's bind carries the password's bytes", test_bind_request);
    UNIT_TEST("an anonymous bind is never sent", test_anonymous_bind);
    UNIT_ROWS(raw_cases, test_raw);
    UNIT_ROWS(raw_cases, test_raw_at_service);
    UNIT_ROWS(raw_cases, test_raw_at_search);
    UNIT_TEST("an answer that trickles in ends at the deadline", test_trickle);
    UNIT_TEST("without time left nothing is asked", test_no_time_left);
    UNIT_ROWS(search_cases, test_search);
    UNIT_TEST("an entry comes with all its values", test_entry);
    UNIT_ROWS(entry_cases, test_entry_bytes);
    UNIT_ROWS(page_cases, test_page);
    UNIT_TEST("pages go on as long as there is a cookie and the visitor wants more",
              test_pages_end_by_visitor);
    UNIT_TEST("references to other servers are not followed", test_reference);
    UNIT_TEST("a referral is not followed with the user's password", test_referral);
    UNIT_ROWS(service_cases, test_service);
    UNIT_TEST("one connection is kept, the user's bind has its own", test_kept);
    UNIT_TEST("long answers do not add up", test_long_answers);
    UNIT_TEST("a kept connection closed while idle is reopened", test_closed_while_idle);
    UNIT_TEST("a kept connection closed while asked is reopened", test_closed_while_asked);
    UNIT_TEST("half an answer is thrown away", test_closed_amid_answer);
    UNIT_TEST("half an answer does not count towards the limit", test_limit_after_closed);
    UNIT_TEST("a server that closes on every search is an outage", test_closed_always);
    UNIT_TEST("a Unix socket does as well", test_unix_socket);
    UNIT_TEST("bind external is a SASL bind", test_external);
    UNIT_TEST("a child opens its own connection", test_fork);
    UNIT_TEST("a child leaves its parent's connection alone", test_fork_and_leave);
    UNIT_TEST("threads may ask at once", test_threads);
    UNIT_TEST("signals of the host program are no outage", test_signals);
    UNIT_TEST("where the first server is dead the second is asked", test_first_dead);
    UNIT_TEST("where all servers are dead each is named", test_all_dead);
    UNIT_TEST("a server that failed is passed over", test_passed_over);
    UNIT_TEST("silent servers cost each login one timeout", test_silent);
    UNIT_TEST("a kept connection that is silent has the next server asked", test_kept_silent);
    UNIT_TEST("a refusal is an answer", test_refusal_is_an_answer);
    UNIT_TEST("without TLS a localhost that is elsewhere is not asked", test_localhost_elsewhere);
    UNIT_TEST("a mapped address of the loopback is one", test_mapped_loopback);
    UNIT_ROWS(tls_cases, test_tls);
    UNIT_TEST("a handshake that trickles in ends at the deadline", test_tls_trickle);
    UNIT_ROWS(modify_cases, test_modify);
    UNIT_TEST("a modification on a connection closed while idle is made", test_modify_after_idle);
    UNIT_ROWS(expand_cases, test_expand);
    UNIT_TEST("no byte of a login ends a filter", test_expand_every_byte);
    UNIT_ROWS(dns, test_dn);
    UNIT_TEST("a definition of the schema is read, a broken one is not", test_schema);
    UNIT_TEST("settings that cannot work are refused", test_bad_settings);
    return responder_unit_run();
}
