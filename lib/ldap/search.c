/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/search.h"
#include "clock.h"
#include "ldap/connection.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRIES_MAX  100000 /* of a search without a limit */
#define PAGE_ENTRIES 200

const char *const apw_search_no_attributes[] = {"1.1", NULL};

static const char our_limits[] = "load the limits in acl-slapd.conf, acl-cnconfig.ldif or "
                                 "aci-389ds.ldif of ldap-schema/ for this "
                                 "identity, or raise those of the domain controllers";

/* Whether the limit was reached; Samba does not stop there. */
static bool is_full(const struct apw_search *search)
{
    return search->query.limit > 0 && search->count >= search->query.limit;
}

static int append_entry(struct apw_connection *connection, LDAPMessage *message,
                        struct apw_search *search)
{
    struct apw_entry *entry;

    if (is_full(search) || ++search->count > ENTRIES_MAX)
        return -1;
    entry = apw_entry_read(connection->ld, message);
    if (entry == NULL)
        return -1;
    entry->next = search->entries;
    search->entries = entry;
    apw_connection_renew(connection, connection->transport.deadline);
    return 0;
}

static void reverse_entries(struct apw_search *search)
{
    struct apw_entry *reversed = NULL;

    while (search->entries != NULL) {
        struct apw_entry *entry = search->entries;

        search->entries = entry->next;
        entry->next = reversed;
        reversed = entry;
    }
    search->entries = reversed;
}

static enum apw_ldap_result result_of_search(const struct apw_search *search, int code)
{
    if (code == LDAP_SUCCESS)
        return APW_LDAP_OK;
    if (code == LDAP_SIZELIMIT_EXCEEDED && is_full(search))
        return APW_LDAP_OK;
    if (search->cookie != NULL &&
        (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED))
        return APW_LDAP_REFUSED;
    if (code == LDAP_NO_SUCH_OBJECT)
        return APW_LDAP_NO_SUCH_OBJECT;
    return code == LDAP_INSUFFICIENT_ACCESS ? APW_LDAP_NOT_PERMITTED : APW_LDAP_UNAVAILABLE;
}

/* Without a cookie in the answer there is no further page. */
static int read_cookie(struct apw_connection *connection, LDAPControl **controls,
                       struct berval *cookie)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    struct berval next = {0, NULL};
    ber_int_t estimate;

    ber_memfree(cookie->bv_val);
    *cookie = next;
    if (control == NULL)
        return 0;
    if (control->ldctl_value.bv_len == 0 || /* libldap 2.5 would crash */
        ldap_parse_pageresponse_control(connection->ld, control, &estimate, &next) != LDAP_SUCCESS)
        return -1;
    *cookie = next;
    return 0;
}

static enum apw_connection_state finish_search(struct apw_connection *connection,
                                               LDAPMessage *message, struct apw_search *search,
                                               struct apw_error *error)
{
    struct apw_connection_outcome outcome = {.code = LDAP_OTHER};
    int status = apw_connection_read_outcome(connection, message, &outcome);

    if (status == 0 && search->cookie != NULL &&
        read_cookie(connection, outcome.controls, search->cookie) != 0) {
        outcome.code = LDAP_DECODING_ERROR;
        snprintf(outcome.text, sizeof outcome.text, "unreadable page control");
        status = -1;
    }
    ldap_controls_free(outcome.controls);
    reverse_entries(search);
    search->result = result_of_search(search, outcome.code);
    if (search->result != APW_LDAP_OK)
        apw_connection_note(error, connection->server, "search under \"%s\" for %s: %s%s%s",
                            search->query.base, search->query.filter, outcome.text,
                            search->result == APW_LDAP_REFUSED ? "; " : "",
                            search->result != APW_LDAP_REFUSED   ? ""
                            : search->query.limit_advice != NULL ? search->query.limit_advice
                                                                 : our_limits);
    return status != 0 || apw_connection_is_gone(outcome.code) ? APW_CONNECTION_LOST
                                                               : APW_CONNECTION_GOOD;
}

static enum apw_connection_state read_answers(struct apw_connection *connection, int message_id,
                                              struct apw_search *search, struct apw_error *error)
{
    for (;;) {
        LDAPMessage *message = apw_connection_next_message(connection, message_id, "search", error);
        int status = 0;

        if (message == NULL)
            return APW_CONNECTION_LOST;
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
            return finish_search(connection, message, search, error);
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY && is_full(search) &&
            search->query.scope != APW_SCOPE_BASE) {
            ldap_msgfree(message);
            ldap_abandon_ext(connection->ld, message_id, NULL, NULL);
            reverse_entries(search);
            search->result = APW_LDAP_OK;
            return APW_CONNECTION_GOOD;
        }
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY)
            status = append_entry(connection, message, search);
        search->has_references |= ldap_msgtype(message) == LDAP_RES_SEARCH_REFERENCE;
        ldap_msgfree(message);
        if (status != 0) {
            apw_connection_note(error, connection->server,
                                "search: an unreadable entry, too many entries, or out of memory");
            return APW_CONNECTION_LOST;
        }
    }
}

/* liblber notes a lack of memory in one variable of the process. Each time that a thread here
 * resets it, it may take the note from another, so it counts that before and after. */
static atomic_uint resets_begun, resets_ended;

/* Whether libldap was short of memory since the variable was reset. */
static bool take_note_of_memory(void)
{
    int *note = ber_errno_addr();

    if (__atomic_load_n(note, __ATOMIC_SEQ_CST) != LBER_ERROR_MEMORY)
        return false;
    atomic_fetch_add(&resets_begun, 1);
    __atomic_store_n(note, LBER_ERROR_NONE, __ATOMIC_SEQ_CST);
    atomic_fetch_add(&resets_ended, 1);
    return true;
}

/* libldap sends a filter without the parts that it had no memory to copy, and reports success: the
 * search may then match more than it should. That, or if another thread may have taken the note of
 * it, is LDAP_NO_MEMORY here. */
static int send_search(struct apw_connection *connection, const struct apw_search *search,
                       int *message_id_r)
{
    static const int scopes[] = {
        [APW_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
        [APW_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
        [APW_SCOPE_BASE] = LDAP_SCOPE_BASE,
    };
    unsigned begun, ended;
    LDAPControl *controls[2] = {NULL, NULL};
    int code = LDAP_SUCCESS;

    take_note_of_memory(); /* of what came before */
    begun = atomic_load(&resets_begun);
    ended = atomic_load(&resets_ended);
    if (search->cookie != NULL)
        code =
            ldap_create_page_control(connection->ld, PAGE_ENTRIES, search->cookie, 1, &controls[0]);
    if (code == LDAP_SUCCESS)
        code = ldap_search_ext(connection->ld, search->query.base, scopes[search->query.scope],
                               search->query.filter, (char **)search->query.attributes, 0, controls,
                               NULL, NULL, (int)search->query.limit, message_id_r);
    ldap_control_free(controls[0]);
    if (code == LDAP_SUCCESS &&
        (take_note_of_memory() || begun != ended || atomic_load(&resets_begun) != begun)) {
        code = LDAP_NO_MEMORY;
        ldap_set_option(connection->ld, LDAP_OPT_RESULT_CODE, &code);
    }
    return code;
}

/* Fails if it was not sent: then *state_r says what became of the connection. */
static int begin_search(struct apw_connection *connection, struct apw_search *search,
                        int *message_id_r, enum apw_connection_state *state_r,
                        struct apw_error *error)
{
    char what[200];
    int code;

    search->result = APW_LDAP_UNAVAILABLE;
    apw_entries_free(&search->entries); /* of a connection that was lost */
    search->count = 0;
    search->has_references = false;
    code = send_search(connection, search, message_id_r);
    if (code == LDAP_SUCCESS)
        return 0;
    snprintf(what, sizeof what, "search under \"%s\" for %s", search->query.base,
             search->query.filter);
    apw_connection_note_failure(error, connection, what);
    *state_r = code == LDAP_FILTER_ERROR ? APW_CONNECTION_GOOD : APW_CONNECTION_LOST;
    return -1;
}

enum apw_connection_state apw_search_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_search *search = argument;
    enum apw_connection_state state;
    int message_id;

    if (begin_search(connection, search, &message_id, &state, error) == 0)
        state = read_answers(connection, message_id, search, error);
    *result_r = search->result;
    return state;
}

static void call_for_page(struct apw_search_pages *pages)
{
    for (const struct apw_entry *entry = pages->search.entries; entry != NULL && !pages->is_ended;
         entry = entry->next) {
        pages->was_called = true;
        pages->is_ended = pages->callback(pages->context, entry) != 0;
    }
    apw_entries_free(&pages->search.entries);
}

enum apw_connection_state apw_search_run_pages(struct apw_connection *connection, void *argument,
                                               enum apw_ldap_result *result_r,
                                               struct apw_error *error)
{
    struct apw_search_pages *pages = argument;
    struct berval *cookie = pages->search.cookie;
    const int timeout_ms = connection->transport.timeout_ms;
    enum apw_connection_state state;

    ber_memfree(cookie->bv_val); /* of a connection that was lost before the first entry */
    *cookie = (struct berval){0, NULL};
    if (timeout_ms < pages->page_ms / 2)
        connection->transport.timeout_ms = pages->page_ms / 2;
    do {
        apw_connection_renew(connection, apw_clock_monotonic_ms() + pages->page_ms);
        state = apw_search_run(connection, &pages->search, result_r, error);
        call_for_page(pages);
    } while (state == APW_CONNECTION_GOOD && *result_r == APW_LDAP_OK && !pages->is_ended &&
             cookie->bv_len > 0);
    connection->transport.timeout_ms = timeout_ms;
    if (state == APW_CONNECTION_LOST && pages->was_called) {
        apw_connection_abandon(connection);
        *result_r = APW_LDAP_UNAVAILABLE;
        return APW_CONNECTION_GOOD;
    }
    return state;
}

void apw_search_series_clear(struct apw_search_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        apw_entries_free(&series->search[i].entries);
}

/* Sends all, then reads all answers; search[0] has the result and the error. */
static enum apw_connection_state run_together(struct apw_connection *connection,
                                              struct apw_search_series *series,
                                              struct apw_error *error)
{
    enum apw_connection_state state = APW_CONNECTION_GOOD;
    int message_id[APW_SEARCH_SERIES_MAX];
    bool is_sent[APW_SEARCH_SERIES_MAX];
    size_t last = 0; /* the one with which the connection was lost, if it was */

    for (; series->asked < series->count && state == APW_CONNECTION_GOOD; series->asked++) {
        last = series->asked;
        is_sent[last] = begin_search(connection, &series->search[last], &message_id[last], &state,
                                     last == 0 ? error : NULL) == 0;
    }
    for (size_t i = 0; i < series->count && state == APW_CONNECTION_GOOD; i++) {
        last = i;
        apw_connection_renew(connection, connection->transport.deadline);
        if (is_sent[i])
            state =
                read_answers(connection, message_id[i], &series->search[i], i == 0 ? error : NULL);
    }
    if (state == APW_CONNECTION_LOST && last > 0) {
        series->search[0].result = APW_LDAP_UNAVAILABLE;
        apw_connection_note(error, connection->server, "search: lost the connection");
    }
    return state;
}

static enum apw_connection_state run_in_turn(struct apw_connection *connection,
                                             struct apw_search_series *series,
                                             enum apw_ldap_result *result_r,
                                             struct apw_error *error)
{
    enum apw_connection_state state;
    struct apw_search *search;

    do {
        search = &series->search[series->asked++];
        apw_connection_renew(connection, connection->transport.deadline);
        state = apw_search_run(connection, search, result_r, error);
    } while (state == APW_CONNECTION_GOOD && *result_r == APW_LDAP_OK && search->entries != NULL &&
             series->asked < series->count);
    return state;
}

enum apw_connection_state apw_search_run_series(struct apw_connection *connection, void *argument,
                                                enum apw_ldap_result *result_r,
                                                struct apw_error *error)
{
    struct apw_search_series *series = argument;
    enum apw_connection_state state;

    apw_search_series_clear(series); /* of a connection that was lost */
    series->connection = connection->serial;
    series->asked = 0;
    if (!series->is_together)
        return run_in_turn(connection, series, result_r, error);
    state = run_together(connection, series, error);
    *result_r = series->search[0].result;
    return state;
}
