/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/search.h"
#include "clock.h"
#include "ldap/connection.h"
#include <stdio.h>
#include <stdlib.h>

#define ENTRIES_MAX  100000 /* of a search without a limit */
#define PAGE_ENTRIES 200

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
                                               enum apw_ldap_result *result_r,
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
    *result_r = result_of_search(search, outcome.code);
    if (*result_r != APW_LDAP_OK)
        apw_connection_note(
            error, connection->server, "search under \"%s\" for %s: %s%s", search->query.base,
            search->query.filter, outcome.text,
            *result_r == APW_LDAP_REFUSED
                ? "; load the limits in acl-slapd.conf, acl-cnconfig.ldif or aci-389ds.ldif of "
                  "ldap-schema/ for this identity, or raise those of the domain controllers"
                : "");
    return status != 0 || apw_connection_is_gone(outcome.code) ? APW_CONNECTION_LOST
                                                               : APW_CONNECTION_GOOD;
}

static enum apw_connection_state read_answers(struct apw_connection *connection, int message_id,
                                              struct apw_search *search,
                                              enum apw_ldap_result *result_r,
                                              struct apw_error *error)
{
    for (;;) {
        LDAPMessage *message = apw_connection_next_message(connection, message_id, "search", error);
        int status = 0;

        if (message == NULL)
            return APW_CONNECTION_LOST;
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
            return finish_search(connection, message, search, result_r, error);
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY && is_full(search) &&
            search->query.scope != APW_SCOPE_BASE) {
            ldap_msgfree(message);
            ldap_abandon_ext(connection->ld, message_id, NULL, NULL);
            reverse_entries(search);
            *result_r = APW_LDAP_OK;
            return APW_CONNECTION_GOOD;
        }
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY)
            status = append_entry(connection, message, search);
        ldap_msgfree(message); /* references to other servers are not followed */
        if (status != 0) {
            apw_connection_note(error, connection->server,
                                "search: an unreadable entry, too many entries, or out of memory");
            return APW_CONNECTION_LOST;
        }
    }
}

static int send_search(struct apw_connection *connection, const struct apw_search *search,
                       int *message_id_r)
{
    static const int scopes[] = {
        [APW_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
        [APW_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
        [APW_SCOPE_BASE] = LDAP_SCOPE_BASE,
    };
    LDAPControl *controls[2] = {NULL, NULL};
    int code = LDAP_SUCCESS;

    if (search->cookie != NULL)
        code =
            ldap_create_page_control(connection->ld, PAGE_ENTRIES, search->cookie, 1, &controls[0]);
    if (code == LDAP_SUCCESS)
        code = ldap_search_ext(connection->ld, search->query.base, scopes[search->query.scope],
                               search->query.filter, (char **)search->query.attributes, 0, controls,
                               NULL, NULL, (int)search->query.limit, message_id_r);
    ldap_control_free(controls[0]);
    return code;
}

enum apw_connection_state apw_search_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_search *search = argument;
    char what[200];
    int message_id, code;

    *result_r = APW_LDAP_UNAVAILABLE;
    apw_entries_free(&search->entries); /* of a connection that was lost */
    search->count = 0;
    code = send_search(connection, search, &message_id);
    if (code == LDAP_SUCCESS)
        return read_answers(connection, message_id, search, result_r, error);
    snprintf(what, sizeof what, "search under \"%s\" for %s", search->query.base,
             search->query.filter);
    apw_connection_note_failure(error, connection, what);
    return code == LDAP_FILTER_ERROR ? APW_CONNECTION_GOOD : APW_CONNECTION_LOST;
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
    enum apw_connection_state state;

    ber_memfree(cookie->bv_val); /* of a connection that was lost before the first entry */
    *cookie = (struct berval){0, NULL};
    do {
        apw_connection_renew(connection, apw_clock_monotonic_ms() + pages->page_ms);
        state = apw_search_run(connection, &pages->search, result_r, error);
        call_for_page(pages);
    } while (state == APW_CONNECTION_GOOD && *result_r == APW_LDAP_OK && !pages->is_ended &&
             cookie->bv_len > 0);
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

enum apw_connection_state apw_search_run_series(struct apw_connection *connection, void *argument,
                                                enum apw_ldap_result *result_r,
                                                struct apw_error *error)
{
    struct apw_search_series *series = argument;
    enum apw_connection_state state;
    struct apw_search *search;

    apw_search_series_clear(series); /* of a connection that was lost */
    series->connection = connection->serial;
    series->asked = 0;
    do {
        search = &series->search[series->asked++];
        apw_connection_renew(connection, connection->transport.deadline);
        state = apw_search_run(connection, search, result_r, error);
    } while (state == APW_CONNECTION_GOOD && *result_r == APW_LDAP_OK && search->entries != NULL &&
             series->asked < series->count);
    return state;
}
