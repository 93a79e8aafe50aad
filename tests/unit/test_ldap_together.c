/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches that are sent together over one connection. */
#include "directory_under_test.h"
#include <ldap.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define TOGETHER 3

/* Keeps its answers until the last search has arrived, and then answers in this order. */
static const struct together_case {
    const char *name;
    int order[TOGETHER];
    int code[TOGETHER];
    bool is_lost; /* instead of the last answer */
    enum apw_ldap_result result, each[TOGETHER];
    size_t entries[TOGETHER];
} together_cases[] = {
    {"all are sent before the first is answered",
     {0, 1, 2},
     {0, 0, 0},
     false,
     APW_LDAP_OK,
     {APW_LDAP_OK, APW_LDAP_OK, APW_LDAP_OK},
     {1, 1, 1}},
    {"the answers come in any order",
     {2, 0, 1},
     {0, 0, 0},
     false,
     APW_LDAP_OK,
     {APW_LDAP_OK, APW_LDAP_OK, APW_LDAP_OK},
     {1, 1, 1}},
    {"the others fail without an error",
     {0, 1, 2},
     {0, 32, 11},
     false,
     APW_LDAP_OK,
     {APW_LDAP_OK, APW_LDAP_NO_SUCH_OBJECT, APW_LDAP_UNAVAILABLE},
     {1, 1, 1}},
    {"the first has the result",
     {0, 1, 2},
     {50, 0, 0},
     false,
     APW_LDAP_NOT_PERMITTED,
     {APW_LDAP_NOT_PERMITTED, APW_LDAP_OK, APW_LDAP_OK},
     {0, 0, 0}},
    {"a connection lost before the last answer is an outage",
     {0, 1, 2},
     {0, 0, 0},
     true,
     APW_LDAP_UNAVAILABLE,
     {APW_LDAP_UNAVAILABLE, APW_LDAP_OK, APW_LDAP_UNAVAILABLE},
     {0, 0, 0}},
};

static int arrived;

static bool answer_together(const struct request *request)
{
    const struct together_case *row = request->row;
    struct request one = *request;

    if (request->operation == BIND_REQUEST) {
        arrived = 0;
        return accept_bind(request);
    }
    if (++arrived < TOGETHER)
        return true;
    for (int i = 0; i < TOGETHER; i++) {
        if (row->is_lost && i == TOGETHER - 1)
            return false;
        one.id = request->id - (TOGETHER - 1) + row->order[i];
        responder_entry(&one, USER_DN, alice);
        responder_result(&one, SEARCH_DONE, row->code[row->order[i]], NULL, NULL);
    }
    return true;
}

static const struct apw_query about_alice = {.base = "dc=example,dc=org",
                                             .filter = "(uid=alice)",
                                             .attributes = apw_search_no_attributes,
                                             .limit = 2};

static void test_together(void **state)
{
    const struct together_case *row = *state;
    struct apw_directory *directory = open_directory(0, PATIENT_MS);
    struct apw_search_series series = {
        .count = TOGETHER,
        .is_together = true,
        .search = {{.query = about_alice}, {.query = about_alice}, {.query = about_alice}}};

    responder_expect(answer_together, row);
    assert_int_equal(apw_directory_search_series(directory, &series, in_ms(PLENTY_MS), &last_error),
                     row->result);
    for (int i = 0; i < TOGETHER; i++) {
        assert_int_equal(series.search[i].result, row->each[i]);
        assert_int_equal(count_entries(series.search[i].entries), row->entries[i]);
    }
    if (row->result == APW_LDAP_OK)
        assert_string_equal(last_error.text, "");
    else
        assert_error_is_set();
    assert_int_equal(responder_seen().searches, TOGETHER);
    apw_search_series_clear(&series);
    apw_directory_free(&directory);
}

/* ---- with a layer that reads ahead, as TLS does ---- */

static bool reads_ahead;

int __wrap_ldap_init_fd(ber_socket_t fd, int protocol, const char *uri, LDAP **ld_r);
int __real_ldap_init_fd(ber_socket_t fd, int protocol, const char *uri, LDAP **ld_r);

int __wrap_ldap_init_fd(ber_socket_t fd, int protocol, const char *uri, LDAP **ld_r)
{
    int code = __real_ldap_init_fd(fd, protocol, uri, ld_r);
    Sockbuf *sockbuf = NULL;

    if (code != LDAP_SUCCESS || !reads_ahead)
        return code;
    assert_int_equal(ldap_get_option(*ld_r, LDAP_OPT_SOCKBUF, &sockbuf), 0);
    assert_int_equal(
        ber_sockbuf_add_io(sockbuf, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_TRANSPORT, NULL),
        0);
    return code;
}

static bool answer_in_one_piece(const struct request *request)
{
    const int on = 1, off = 0;
    bool is_open;

    setsockopt(request->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    is_open = answer_together(request);
    setsockopt(request->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
    return is_open;
}

/* Answers that come before the first one's, and in one piece with it, hide nothing. */
static void test_together_in_one_piece(void **state)
{
    static const struct together_case backwards = {.order = {2, 1, 0}};
    struct apw_search_series series = {
        .count = TOGETHER,
        .is_together = true,
        .search = {{.query = about_alice}, {.query = about_alice}, {.query = about_alice}}};
    struct apw_directory *directory;

    (void)state;
    reads_ahead = true;
    directory = open_directory(0, PATIENT_MS);
    responder_expect(answer_in_one_piece, &backwards);
    assert_int_equal(apw_directory_search_series(directory, &series, in_ms(PLENTY_MS), &last_error),
                     APW_LDAP_OK);
    for (int i = 0; i < TOGETHER; i++)
        assert_int_equal(count_entries(series.search[i].entries), 1);
    assert_int_equal(responder_seen().connections[0], 1);
    reads_ahead = false;
    apw_search_series_clear(&series);
    apw_directory_free(&directory);
}

/* A filter that cannot be sent is no reason to wait for its answer. */
static void test_bad_filter_together(void **state)
{
    (void)state;
    for (size_t bad = 0; bad < 2; bad++) {
        struct apw_directory *directory = open_directory(0, PLENTY_MS);
        struct apw_search_series series = {
            .count = 2,
            .is_together = true,
            .search = {{.query = about_alice}, {.query = about_alice}}};

        series.search[bad].query.filter = "(uid";
        responder_expect(answer_well, NULL);
        assert_int_equal(
            apw_directory_search_series(directory, &series, in_ms(PLENTY_MS), &last_error),
            bad == 0 ? APW_LDAP_UNAVAILABLE : APW_LDAP_OK);
        assert_int_equal(series.search[1 - bad].result, APW_LDAP_OK);
        assert_int_equal(series.search[bad].result, APW_LDAP_UNAVAILABLE);
        assert_int_equal(responder_seen().searches, 1);
        assert_int_equal(responder_seen().connections[0], 1);
        assert_search_is_ok(directory); /* over the same connection */
        assert_int_equal(responder_seen().connections[0], 1);
        apw_search_series_clear(&series);
        apw_directory_free(&directory);
    }
}

/* ---- a connection that is lost while the searches are sent ---- */

#define LOST_FILTER "(lost=*)"

int __wrap_ldap_search_ext(LDAP *ld, const char *base, int scope, const char *filter,
                           char **attributes, int types_only, LDAPControl **controls,
                           LDAPControl **client_controls, struct timeval *timeout, int limit,
                           int *message_id_r);
int __real_ldap_search_ext(LDAP *ld, const char *base, int scope, const char *filter,
                           char **attributes, int types_only, LDAPControl **controls,
                           LDAPControl **client_controls, struct timeval *timeout, int limit,
                           int *message_id_r);

int __wrap_ldap_search_ext(LDAP *ld, const char *base, int scope, const char *filter,
                           char **attributes, int types_only, LDAPControl **controls,
                           LDAPControl **client_controls, struct timeval *timeout, int limit,
                           int *message_id_r)
{
    if (strcmp(filter, LOST_FILTER) == 0)
        return LDAP_SERVER_DOWN;
    return __real_ldap_search_ext(ld, base, scope, filter, attributes, types_only, controls,
                                  client_controls, timeout, limit, message_id_r);
}

/* Whichever search it is, the error says so. */
static void test_lost_while_sent(void **state)
{
    (void)state;
    for (size_t lost = 0; lost < TOGETHER; lost++) {
        struct apw_directory *directory = open_directory(0, PLENTY_MS);
        struct apw_search_series series = {
            .count = TOGETHER,
            .is_together = true,
            .search = {{.query = about_alice}, {.query = about_alice}, {.query = about_alice}}};

        series.search[lost].query.filter = LOST_FILTER;
        responder_expect(answer_well, NULL);
        assert_int_equal(
            apw_directory_search_series(directory, &series, in_ms(PLENTY_MS), &last_error),
            APW_LDAP_UNAVAILABLE);
        for (int i = 0; i < TOGETHER; i++)
            assert_null(series.search[i].entries);
        assert_error_is_set();
        apw_directory_free(&directory);
    }
}

int main(void)
{
    UNIT_ROWS(together_cases, test_together);
    UNIT_TEST("all answers in one piece, the first one's last", test_together_in_one_piece);
    UNIT_TEST("with a filter that cannot be sent", test_bad_filter_together);
    UNIT_TEST("a connection lost while they are sent", test_lost_while_sent);
    return responder_unit_run();
}
