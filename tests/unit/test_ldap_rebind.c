/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds of users on a kept connection: what shares it, servers that object to a second bind, and
 * binds that get no answer. */
#include "directory_under_test.h"
#include "silence.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define BOB_DN   "uid=bob,dc=example,dc=org"
#define WRONG_PW "battery staple"

/* ---- new connections ---- */

static bool has_no_sockets;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_socket(int family, int type, int protocol)
{
    if (!has_no_sockets)
        return __real_socket(family, type, protocol);
    errno = EMFILE;
    return -1;
}

/* ---- a directory that knows alice and bob, and who is bound on which connection ---- */

#define FDS_MAX 1024
static char bound[FDS_MAX]; /* 's' the service, 'a' or 'b', 0 for nobody */
static atomic_int mixed;    /* requests that were on the wrong connection */

static bool has(const struct request *request, const char *text)
{
    return memmem(request->bytes, request->length, text, strlen(text)) != NULL;
}

static bool is_good(const struct request *request)
{
    return !has(request, WRONG_PW);
}

static bool judge_bind(const struct request *request)
{
    return responder_result(request, BIND_RESPONSE, is_good(request) ? 0 : 49, NULL, NULL);
}

/* Notes mistakes: a search by another identity than the service, a bind of a user after it. */
static bool answer_and_watch(const struct request *request)
{
    char *now = &bound[request->fd];
    bool is_service = has(request, SERVICE_DN);

    if (request->operation != BIND_REQUEST) {
        mixed += *now != 's' || request->number == 1;
        return answer_well(request);
    }
    mixed += request->number > 1 && (is_service || *now == 's');
    *now = is_service ? 's' : !is_good(request) ? 0 : has(request, BOB_DN) ? 'b' : 'a';
    return judge_bind(request);
}

static enum apw_user_bind bind_as(struct apw_directory *directory, const char *dn,
                                  const char *password)
{
    return apw_directory_bind_user(directory, dn, password, strlen(password), in_ms(PLENTY_MS),
                                   &last_error);
}

/* ---- what shares the connection ---- */

static void test_shared(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    mixed = 0;
    responder_expect(answer_and_watch, NULL);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
        if (i % 3 == 0)
            assert_search_is_ok(directory);
        assert_int_equal(bind_as(directory, USER_DN, WRONG_PW), APW_USER_BIND_WRONG);
        assert_int_equal(bind_as(directory, BOB_DN, USER_PW), APW_USER_BIND_OK);
        assert_string_equal(last_error.text, "");
    }
    assert_int_equal(mixed, 0);
    assert_int_equal(responder_seen().connections[0], 2);
    assert_int_equal(responder_seen().binds, 1 + 150);
    apw_directory_disconnect(directory);
    assert_true(responder_wait_closed(2));
    assert_int_equal(responder_seen().unbinds, 2);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    apw_directory_free(&directory);
    assert_true(responder_wait_closed(3));
}

static void *bind_often(void *directory)
{
    struct apw_error mine;
    int failures = 0;

    for (int i = 0; i < 100; i++) {
        const char *password = i % 3 == 0 ? WRONG_PW : USER_PW;

        failures += apw_directory_bind_user(directory, i % 2 == 0 ? USER_DN : BOB_DN, password,
                                            strlen(password), in_ms(PLENTY_MS), &mine) !=
                    (i % 3 == 0 ? APW_USER_BIND_WRONG : APW_USER_BIND_OK);
    }
    return failures == 0 ? NULL : directory;
}

static void test_threads(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    pthread_t threads[4];

    (void)state;
    mixed = 0;
    responder_expect(answer_and_watch, NULL);
    for (size_t i = 0; i < UNIT_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bind_often, directory), 0);
    for (int i = 0; i < 20; i++)
        assert_search_is_ok(directory);
    for (size_t i = 0; i < UNIT_COUNT(threads); i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(mixed, 0);
    assert_int_equal(responder_seen().binds, 1 + 400); /* none is repeated */
    apw_directory_free(&directory);
}

static void test_fork(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);
    int status;
    pid_t child;

    (void)state;
    responder_expect(answer_and_watch, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    child = fork();
    if (child == 0) {
        bool is_ok = bind_user(directory) == APW_USER_BIND_OK &&
                     bind_as(directory, BOB_DN, WRONG_PW) == APW_USER_BIND_WRONG;

        apw_directory_free(&directory);
        _exit(is_ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(responder_seen().connections[0], 2);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 2); /* the parent's is still open */
    apw_directory_free(&directory);
}

/* ---- servers that object to a second bind on a connection ---- */

static const struct objection_case {
    const char *name;
    int code;
} objections[] = {
    {"a second bind with operationsError gets a new connection", 1},
    {"a second bind with protocolError gets a new connection", 2},
    {"a second bind with authMethodNotSupported gets a new connection", 7},
    {"a second bind with strongerAuthRequired gets a new connection", 8},
    {"a second bind with adminLimitExceeded gets a new connection", 11},
    {"a second bind with confidentialityRequired gets a new connection", 13},
    {"a second bind with insufficientAccessRights gets a new connection", 50},
    {"a second bind with unwillingToPerform gets a new connection and is no lock", 53},
    {"a second bind with other gets a new connection", 80},
    {"a second bind with an unknown code gets a new connection", 4711},
};

static bool answer_once_then_object(const struct request *request)
{
    const struct objection_case *row = request->row;

    return request->number == 1 ? judge_bind(request)
                                : responder_result(request, BIND_RESPONSE, row->code, NULL, NULL);
}

static void test_objection(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    responder_expect(answer_once_then_object, *state);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
        assert_string_equal(last_error.text, "");
        assert_int_equal(bind_as(directory, BOB_DN, WRONG_PW), APW_USER_BIND_WRONG);
    }
    assert_int_equal(responder_seen().binds, 6 + 1); /* it is noticed once */
    assert_int_equal(responder_seen().connections[0], 6);
    assert_true(responder_wait_closed(6)); /* and nothing is kept */
    apw_directory_free(&directory);
}

static const struct judgement_case {
    const char *name;
    int code;
    enum apw_user_bind result;
} judgements[] = {
    {"success at a second bind is an answer", 0, APW_USER_BIND_OK},
    {"invalidCredentials at a second bind is an answer", 49, APW_USER_BIND_WRONG},
    {"inappropriateAuthentication at a second bind is an answer", 48, APW_USER_BIND_WRONG},
    {"noSuchObject at a second bind is an answer", 32, APW_USER_BIND_WRONG},
    {"constraintViolation at a second bind is an answer", 19, APW_USER_BIND_LOCKED},
};

static bool answer_once_then_judge(const struct request *request)
{
    const struct judgement_case *row = request->row;

    return responder_result(request, BIND_RESPONSE, request->number == 1 ? 0 : row->code, NULL,
                            NULL);
}

static void test_judgement(void **state)
{
    const struct judgement_case *row = *state;
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    responder_expect(answer_once_then_judge, row);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bind_as(directory, BOB_DN, USER_PW), row->result);
    assert_int_equal(responder_seen().binds, 4); /* none is repeated: it may be counted */
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

static bool answer_once_then_close(const struct request *request)
{
    return request->number == 1 && judge_bind(request);
}

static void test_closing(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_once_then_close, NULL);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(bind_as(directory, BOB_DN, WRONG_PW), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    assert_int_equal(responder_seen().binds, 2); /* it may have been counted: not again */
    for (int i = 0; i < 4; i++)
        assert_int_equal(bind_as(directory, BOB_DN, WRONG_PW), APW_USER_BIND_WRONG);
    assert_int_equal(responder_seen().binds, 6);
    assert_int_equal(responder_seen().connections[0], 5);
    apw_directory_free(&directory);
}

/* 389 Directory Server answers so if the account is inactive. */
static bool object_to_bob(const struct request *request)
{
    return has(request, BOB_DN) ? responder_result(request, BIND_RESPONSE, 53, NULL, NULL)
                                : judge_bind(request);
}

static void test_one_user(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(object_to_bob, NULL);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(bind_as(directory, BOB_DN, USER_PW), APW_USER_BIND_LOCKED);
    assert_string_equal(last_error.text, "");
    assert_int_equal(responder_seen().connections[0], 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 2); /* re-binds are not forbidden */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bind_as(directory, BOB_DN, USER_PW), APW_USER_BIND_LOCKED);
        assert_int_equal(bind_as(directory, USER_DN, WRONG_PW), APW_USER_BIND_WRONG);
    }
    assert_int_equal(responder_seen().connections[0], 2); /* and bob costs no connection */
    assert_int_equal(responder_seen().binds, 12);
    apw_directory_free(&directory);
}

static const struct objection_case unwilling = {.code = 53};

/* The objection is no verdict: as long as no new connection can be opened, nobody is locked. */
static void test_objection_alone(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_once_then_object, &unwilling);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    has_no_sockets = true;
    assert_int_equal(bind_as(directory, BOB_DN, USER_PW), APW_USER_BIND_UNAVAILABLE);
    has_no_sockets = false;
    assert_error_is_set();
    assert_int_equal(responder_seen().binds, 2);
    assert_int_equal(bind_as(directory, BOB_DN, USER_PW), APW_USER_BIND_OK);
    apw_directory_free(&directory);
}

static bool is_closing;

/* The third bind on the first connection fails. */
static bool fail_at_third(const struct request *request)
{
    if (request->number != 3 || responder_seen().connections[0] != 1)
        return judge_bind(request);
    if (is_closing)
        return false;
    return responder_result(request, BIND_RESPONSE, 80, NULL, NULL);
}

static void test_objection_after_second(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    is_closing = false;
    responder_expect(fail_at_third, NULL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(bind_as(directory, USER_DN, USER_PW),
                         i == 2 ? APW_USER_BIND_UNAVAILABLE : APW_USER_BIND_OK);
    assert_int_equal(responder_seen().binds, 6); /* a proxy may have forwarded it, and counted */
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

static void test_closing_after_second(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    is_closing = true;
    responder_expect(fail_at_third, NULL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(bind_as(directory, USER_DN, USER_PW),
                         i == 2 ? APW_USER_BIND_UNAVAILABLE : APW_USER_BIND_OK);
    assert_int_equal(responder_seen().binds, 6);
    assert_int_equal(responder_seen().connections[0], 2);
    apw_directory_free(&directory);
}

/* ---- lost connections ---- */

static const struct busy_case {
    const char *name;
    int code;
} busy_cases[] = {
    {"a busy server is not asked again, but the next one", 51},
    {"an unavailable server is not asked again, but the next one", 52},
};

/* The second bind at the first server. */
static bool answer_busy(const struct request *request)
{
    const struct busy_case *row = request->row;

    return request->listener == 0 && request->number == 2
               ? responder_result(request, BIND_RESPONSE, row->code, NULL, NULL)
               : judge_bind(request);
}

static void test_busy(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    responder_expect(answer_busy, *state);
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(bind_as(directory, USER_DN, WRONG_PW), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    assert_int_equal(responder_seen().binds, 2); /* a proxy may have forwarded it, and counted */
    assert_int_equal(bind_as(directory, USER_DN, WRONG_PW), APW_USER_BIND_WRONG);
    apw_directory_free(&directory);
    directory = open_two(responder_uri(0), responder_uri(1));
    responder_expect(answer_busy, *state);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().binds, 5);
    assert_int_equal(responder_seen().connections[0], 1);
    assert_int_equal(responder_seen().connections[1], 1);
    apw_directory_free(&directory);
}

/* Over the Unix socket, whose other end learns of it at once: a bind is not sent again. */
static void test_closed_while_idle(void **state)
{
    struct apw_directory *directory = open_directory(RESPONDER_PORTS, PLENTY_MS);

    (void)state;
    for (int i = 0; i < 3; i++) {
        responder_expect(answer_and_watch, NULL); /* drops the connection */
        assert_int_equal(bind_as(directory, USER_DN, WRONG_PW), APW_USER_BIND_WRONG);
        assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
        assert_string_equal(last_error.text, "");
        assert_int_equal(responder_seen().binds, 2);
        assert_int_equal(responder_seen().connections[RESPONDER_PORTS], 1);
    }
    apw_directory_free(&directory);
}

static const struct idle_case {
    const char *name;
    int64_t idle_ms; /* the setting */
    int64_t skipped_ms;
    int connections;
} idle_cases[] = {
    {"a bind uses a connection that was just used", 0, 30000, 1},
    {"a bind uses no connection that was idle for a minute", 0, 60000, 2},
    {"a bind uses no connection that was idle for a minute, if more is set", 600000, 60000, 2},
    {"a bind uses no connection that was idle for longer than is set", 20000, 20000, 2},
};

static void test_idle(void **state)
{
    const struct idle_case *row = *state;
    struct apw_directory *directory = open_idle(row->idle_ms);

    responder_expect(answer_and_watch, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    skipped_ms = row->skipped_ms;
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    skipped_ms = 0;
    assert_int_equal(responder_seen().connections[0], row->connections);
    apw_directory_free(&directory);
}

/* The first server answers one bind and then nothing; the row says whether it answers searches. */
static bool fall_silent(const struct request *request)
{
    const bool *answers_searches = request->row;

    if (request->listener == 1 || (request->operation == SEARCH_REQUEST && *answers_searches) ||
        has(request, SERVICE_DN))
        return answer_well(request);
    return request->number == 1 && request->operation == BIND_REQUEST ? judge_bind(request)
                                                                      : silence_keep();
}

static void test_silent(void **state)
{
    static const bool answers_searches = true;
    struct apw_directory *directory = open_directory(0, PATIENT_MS);

    (void)state;
    responder_expect(fall_silent, &answers_searches);
    silence_begin();
    assert_int_equal(bind_as(directory, USER_DN, USER_PW), APW_USER_BIND_OK);
    assert_int_equal(bind_as(directory, BOB_DN, WRONG_PW), APW_USER_BIND_UNAVAILABLE);
    assert_contains(last_error.text, "no answer in time");
    assert_int_equal(responder_seen().binds, 2);
    assert_int_equal(bind_as(directory, BOB_DN, WRONG_PW), APW_USER_BIND_WRONG);
    assert_int_equal(responder_seen().connections[0], 2); /* a late answer would get lost */
    apw_directory_free(&directory);
    silence_end();
}

static void test_silent_then_next_server(void **state)
{
    static const bool answers_searches = true;
    struct apw_directory *directory = open_with(
        &(struct apw_uris){.count = 2, .uri = {(char *)responder_uri(0), (char *)responder_uri(1)}},
        PATIENT_MS, NULL);

    (void)state;
    responder_expect(fall_silent, &answers_searches);
    silence_begin();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
        assert_string_equal(last_error.text, "");
    }
    assert_int_equal(responder_seen().connections[0], 1);
    assert_int_equal(responder_seen().connections[1], 1);
    assert_int_equal(responder_seen().binds, 1 + 1 + 3);
    apw_directory_free(&directory);
    silence_end();
}

/* A search that got no answer tells about the kept connection for binds, too. */
static void test_silent_search_before(void **state)
{
    static const bool answers_searches = false;
    struct apw_directory *directory = open_with(
        &(struct apw_uris){.count = 2, .uri = {(char *)responder_uri(0), (char *)responder_uri(1)}},
        PATIENT_MS, NULL);

    (void)state;
    responder_expect(fall_silent, &answers_searches);
    silence_begin();
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_search_is_ok(directory);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().connections[0], 2);
    assert_int_equal(responder_seen().connections[1], 2);
    assert_int_equal(responder_seen().binds, 4); /* at each server, a user and the service */
    apw_directory_free(&directory);
    silence_end();
}

static void test_no_time_left(void **state)
{
    struct apw_directory *directory = open_directory(0, PLENTY_MS);

    (void)state;
    responder_expect(answer_and_watch, NULL);
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(bind_within(directory, -1), APW_USER_BIND_UNAVAILABLE);
    assert_error_is_set();
    assert_int_equal(bind_user(directory), APW_USER_BIND_OK);
    assert_int_equal(responder_seen().binds, 2);
    assert_int_equal(responder_seen().connections[0], 1);
    apw_directory_free(&directory);
}

int main(void)
{
    UNIT_TEST("users share a connection that nothing else uses", test_shared);
    UNIT_TEST("threads may bind at the same time", test_threads);
    UNIT_TEST("a child binds on its own connection", test_fork);
    UNIT_ROWS(objections, test_objection);
    UNIT_ROWS(judgements, test_judgement);
    UNIT_TEST("a server that closes at the second bind is noticed", test_closing);
    UNIT_TEST("an objection to one user is a lock", test_one_user);
    UNIT_TEST("an objection without a new connection is no verdict", test_objection_alone);
    UNIT_TEST("a result of a third bind stands, and forbids none", test_objection_after_second);
    UNIT_TEST("a connection closed at the third bind forbids none", test_closing_after_second);
    UNIT_ROWS(busy_cases, test_busy);
    UNIT_TEST("a connection closed while idle is not used", test_closed_while_idle);
    UNIT_ROWS(idle_cases, test_idle);
    UNIT_TEST("a bind without an answer is not sent again", test_silent);
    UNIT_TEST("after a bind without an answer the next server is asked",
              test_silent_then_next_server);
    UNIT_TEST("after a search without an answer that server gets no bind",
              test_silent_search_before);
    UNIT_TEST("without time left nothing is sent on the kept connection", test_no_time_left);
    return responder_unit_run();
}
