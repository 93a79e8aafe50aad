/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory: a kept connection, several servers, signals, threads and child processes. */
#include "clock.h"
#include "directory_under_test.h"
#include "silence.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

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
    assert_search_is_ok(directory);
    seen = responder_seen();
    assert_int_equal(seen.connections[0], 2);
    assert_int_equal(seen.binds, 2);
    assert_int_equal(seen.searches, 4);
    apw_directory_free(&directory);
    assert_true(responder_wait_closed(2));
    assert_int_equal(responder_seen().unbinds, 2);
}

static const struct idle_case {
    const char *name;
    int64_t idle_ms;
    unsigned connections; /* of two searches, 30 ms apart */
} idle_cases[] = {
    {"a kept connection that was idle for too long is closed and not used", 20, 2},
    {"a kept connection within its limit is used", PLENTY_MS, 1},
    {"a kept connection without a limit is used", 0, 1},
};

static void test_idle(void **state)
{
    const struct idle_case *row = *state;
    struct apw_directory *directory = open_idle(row->idle_ms);
    struct seen seen;

    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    apw_clock_sleep_until_ms(in_ms(30));
    assert_search_is_ok(directory);
    assert_string_equal(last_error.text, "");
    if (row->connections > 1)
        assert_true(responder_wait_closed(1));
    seen = responder_seen();
    assert_int_equal(seen.connections[0], row->connections);
    assert_int_equal(seen.binds, row->connections);
    assert_int_equal(seen.unbinds, row->connections - 1); /* it says goodbye */
    apw_directory_free(&directory);
}

/* No entry, in a result with 3 MiB of text. */
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

/* The limit on bytes is per operation, not per connection. */
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

static void test_closed_while_idle(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    responder_expect(answer_well, NULL); /* drops the connection */
    assert_search_is_ok(directory);
    assert_string_equal(last_error.text, "");
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

static const struct unasked_case {
    const char *name;
    const char *bytes;
    size_t length;
} unasked_cases[] = {
    {"a kept connection with a byte that nobody asked for is not used", BYTES("\x30")},
    {"a kept connection with a notice of disconnection is not used",
     BYTES("\x30\x24\x02\x01\0\x78\x1f\x0a\x01\x34\x04\0\x04\0\x8a\x16"
           "1.3.6.1.4.1.1466.20036")},
    {"a kept connection with an answer to the next search is not used",
     BYTES("\x30\x0c\x02\x01\x03\x65\x07\x0a\x01\0\x04\0\x04\0")},
};

/* No entry, and at the same time more. */
static bool answer_and_more(const struct request *request)
{
    const struct unasked_case *row = request->row;
    char answer[64] = "\x30\x0c\x02\x01\0\x65\x07\x0a\x01\0\x04\0\x04";
    const size_t length = 14;

    if (request->operation != SEARCH_REQUEST || request->number > 2)
        return answer_well(request);
    answer[4] = (char)request->id;
    memcpy(answer + length, row->bytes, row->length);
    return responder_send(request, answer, length + row->length);
}

static void test_unasked(void **state)
{
    const struct unasked_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    struct apw_entry *entries;

    responder_expect(answer_and_more, row);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(search(directory, &entries), APW_LDAP_OK);
        assert_null(entries);
    }
    assert_string_equal(last_error.text, "");
    assert_int_equal(responder_seen().connections[0], 2);
    apw_directory_free(&directory);
}

static bool close_on_third_request(const struct request *request)
{
    return request->number < 3 && answer_well(request);
}

static void test_closed_after_request(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(close_on_third_request, NULL);
    for (int i = 0; i < 3; i++)
        assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 3);
    apw_directory_free(&directory);
}

/* Closes the first search after an entry that must be discarded. */
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

/* One entry in each attempt: together they would reach the limit. */
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
    assert_int_equal(responder_seen().searches,
                     1); /* after a failure on a fresh connection, no retry */
    apw_directory_free(&directory);
}

/* ---- child processes and threads ---- */

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
    assert_int_equal(responder_seen().connections[0], 2); /* the parent's is still open */
    apw_directory_free(&directory);
}

/* A child that never searched sends no unbind on its parent's connection. */
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

static bool never_answer(const struct request *request)
{
    (void)request;
    return true;
}

static atomic_bool is_disturbing;

static void ignore(int number)
{
    (void)number;
}

/* Interrupts the asking thread a hundred times a second. */
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

/* A host program may receive SIGALRM or SIGCHLD at any time. */
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

    /* Nor do they extend the timeout. */
    directory = open_directory(0, TIMEOUT_MS);
    responder_expect(never_answer, NULL);
    start = apw_clock_monotonic_ms();
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_in_range(apw_clock_monotonic_ms() - start, TIMEOUT_MS - 20, PLENTY_MS / 2);
    apw_directory_free(&directory);
    atomic_store(&is_disturbing, false);
    pthread_join(disturbing, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- several servers ---- */

/* A URI on which no server listens. The socket keeps its port from other programs, and refuses
 * connections. */
static const char *dead_uri(int *fd_r)
{
    static char uri[64];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *fd_r = fd;
    snprintf(uri, sizeof uri, "ldap://127.0.0.1:%d", ntohs(address.sin_port));
    return uri;
}

static void test_first_dead(void **state)
{
    int dead;
    struct apw_directory *directory = open_two(dead_uri(&dead), responder_uri(0));

    (void)state;
    responder_expect(answer_well, NULL);
    assert_search_is_ok(directory);
    assert_string_equal(last_error.text, "");
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    apw_directory_free(&directory);
    close(dead);
}

static void test_all_dead(void **state)
{
    int dead;
    struct apw_directory *directory = open_two(dead_uri(&dead), "ldapi://%2Fnonexistent%2Fldapi");
    struct apw_entry *entries;

    (void)state;
    assert_int_equal(search(directory, &entries), APW_LDAP_UNAVAILABLE);
    assert_null(entries);
    assert_contains(last_error.text, "ldap://127.0.0.1:");
    assert_contains(last_error.text, "Connection refused");
    assert_contains(last_error.text, "ldapi://%2Fnonexistent%2Fldapi");
    assert_contains(last_error.text, "/nonexistent/ldapi: No such file or directory");
    assert_int_equal(bind_user(directory), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    apw_directory_free(&directory);
    close(dead);
}

static bool first_is_busy(const struct request *request)
{
    return request->listener == 0 ? responder_result(request, BIND_RESPONSE, 51, NULL, NULL)
                                  : accept_bind(request);
}

static void test_skipped(void **state)
{
    struct apw_directory *directory = open_two(responder_uri(0), responder_uri(1));

    (void)state;
    responder_expect(first_is_busy, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 1); /* once, then skipped */
    assert_int_equal(responder_seen().connections[1], 1);
    assert_int_equal(responder_seen().binds, 1 + 3);
    apw_directory_free(&directory);
}

/* All listeners are silent, except the one in the row if there is a row. */
static bool answer_but_silent(const struct request *request)
{
    const int *talker = request->row;

    return talker == NULL || request->listener != *talker ? silence_keep() : answer_well(request);
}

/* After the first search, each login waits for one timeout, whatever the number of servers. */
static void test_silent(void **state)
{
    const struct apw_uris uris = {
        .count = 3,
        .uri = {(char *)responder_uri(0), (char *)responder_uri(1), (char *)responder_uri(2)}};
    struct apw_directory *directory = open_with(&uris, PATIENT_MS, NULL);
    static const int talker = 2;
    struct apw_entry *entries;
    int64_t start;

    (void)state;
    responder_expect(answer_but_silent, NULL);
    silence_begin();
    assert_int_equal(search_within(directory, 2, 4 * PATIENT_MS, &entries), APW_LDAP_UNAVAILABLE);
    for (int i = 0; i < 6; i++) {
        start = apw_clock_monotonic_ms();
        assert_int_equal(i % 2 == 0 ? search(directory, &entries) == APW_LDAP_UNAVAILABLE
                                    : bind_user(directory) == APW_USER_BIND_UNAVAILABLE,
                         true);
        assert_in_range(apw_clock_monotonic_ms() - start, PATIENT_MS - 20, 3 * PATIENT_MS / 2);
    }
    for (int i = 0; i < RESPONDER_LISTENERS; i++)
        assert_int_equal(responder_seen().connections[i], 7); /* they take turns */

    /* The first to recover is asked at once. */
    responder_expect(answer_but_silent, &talker);
    assert_search_is_ok(directory);
    apw_directory_free(&directory);
    silence_end();
}

/* The first server answers one search, then falls silent. */
static bool answer_first_once(const struct request *request)
{
    if (request->listener == 0 && request->operation == SEARCH_REQUEST && request->number > 2)
        return silence_keep();
    return answer_well(request);
}

static void test_kept_silent(void **state)
{
    const struct apw_uris uris = {.count = 2,
                                  .uri = {(char *)responder_uri(0), (char *)responder_uri(1)}};
    struct apw_directory *directory = open_with(&uris, PATIENT_MS, NULL);

    (void)state;
    responder_expect(answer_first_once, NULL);
    silence_begin();
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[1], 0);
    assert_search_is_ok(directory);
    assert_int_equal(responder_seen().connections[0], 1);
    assert_int_equal(responder_seen().connections[1], 1);
    apw_directory_free(&directory);
    silence_end();
}

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

/* ---- settings ---- */

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
    assert_int_equal(apw_directory_new(&settings, &directory, &last_error), -1);
    assert_null(directory);
    assert_contains(last_error.text, "in the clear");
    settings.uris = &tls;
    __lsan_disable(); /* libldap leaks the unfinished TLS context */
    assert_int_equal(apw_directory_new(&settings, &directory, &last_error), -1);
    __lsan_enable();
    assert_null(directory);
    assert_contains(last_error.text, "/nonexistent/ca.pem");
    settings.uris = &loopback;
    settings.identity = &empty;
    assert_int_equal(apw_directory_new(&settings, &directory, &last_error), -1);
    assert_null(directory);
    assert_contains(last_error.text, "password of " SERVICE_DN " is empty");
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_TEST("one connection is kept, the user's bind has its own", test_kept);
    UNIT_TEST("long answers do not add up", test_long_answers);
    UNIT_ROWS(idle_cases, test_idle);
    UNIT_TEST("a kept connection closed while idle is reopened", test_closed_while_idle);
    UNIT_TEST("a kept connection closed after a request is reopened", test_closed_after_request);
    UNIT_ROWS(unasked_cases, test_unasked);
    UNIT_TEST("half an answer is discarded", test_closed_amid_answer);
    UNIT_TEST("half an answer does not count towards the limit", test_limit_after_closed);
    UNIT_TEST("a server that closes on every search is an outage", test_closed_always);
    UNIT_TEST("a child opens its own connection", test_fork);
    UNIT_TEST("a child leaves its parent's connection alone", test_fork_and_leave);
    UNIT_TEST("threads may search at the same time", test_threads);
    UNIT_TEST("signals of the host program are no outage", test_signals);
    UNIT_TEST("if the first server is dead the second is asked", test_first_dead);
    UNIT_TEST("if all servers are dead each is named", test_all_dead);
    UNIT_TEST("a server that failed is skipped", test_skipped);
    UNIT_TEST("silent servers cost each login one timeout", test_silent);
    UNIT_TEST("if a kept connection is silent the next server is asked", test_kept_silent);
    UNIT_TEST("a refusal is an answer", test_refusal_is_an_answer);
    UNIT_TEST("settings that cannot work are rejected", test_bad_settings);
    return responder_unit_run();
}
