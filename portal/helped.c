/* SPDX-License-Identifier: BSD-2-Clause */
#include "helped.h"
#include "clock.h"
#include "helpdesk.h"
#include "ldap/filter.h"
#include "login.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTION      "help-desk-person"
#define HEX_OF_BYTE 3 /* "%2F" */

/* As many as one calls for in a busy hour: to read out the whole directory, or to try which user
 * names there are, takes longer. */
static const struct apw_patience patience = {.free = 200, .base_s = 1, .most_s = 10};

/* ---- reading ---- */

/* False, and the request is answered, if the visitor must wait. The page behind a button that was
 * charged costs nothing. */
static bool may_read(struct apw_request *request)
{
    bool is_paid = !request->exchange->is_post && request->visitor->is_person_paid;

    request->visitor->is_person_paid = false;
    if (is_paid ||
        apw_throttle_take(request->portal->account_throttle, ACTION,
                          request->account.user->unique_id, &patience, apw_clock_monotonic_ms()))
        return true;
    apw_helpdesk_log(request, APW_REFUSED, APW_REASON_TOO_MANY_TRIES, ACTION, NULL, NULL);
    apw_page_fail(&request->page, 429, APW_TEXT_WAIT_SEARCH);
    return false;
}

/* Refuses in the same words whether there is such a person or not. */
static bool refuse(struct apw_request *request, const struct apw_error *error)
{
    apw_helpdesk_log(request, APW_REFUSED, APW_REASON_NOT_DONE, ACTION, NULL, error);
    apw_page_fail(&request->page, 404, APW_TEXT_NO_SUCH_PERSON);
    return false;
}

/* The DN of the one entry that the login finds, if the help desk may help that person: NULL, and
 * the request is answered, if not. The caller frees it. */
static char *find(struct apw_request *request, const char *login)
{
    const struct apw_portal *portal = request->portal;
    char *filter = apw_filter_expand(portal->config->filter, login), *dn = NULL;
    struct apw_entry *entries = NULL;
    struct apw_error error = {"out of memory"};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    bool is_one;

    if (filter != NULL)
        result = apw_helpdesk_search(portal, filter, apw_search_no_attributes, 2, &entries, &error);
    is_one = entries != NULL && entries->next == NULL;
    if (result == APW_LDAP_OK && is_one)
        dn = strdup(entries->dn);
    apw_entries_free(&entries);
    free(filter);
    if (result == APW_LDAP_OK && !is_one) {
        apw_error_set(&error, "helpdesk_users does not let the help desk help that person");
        refuse(request, &error);
    } else if (dn == NULL) {
        apw_helpdesk_give_up(request, ACTION, &error);
    }
    return dn;
}

/* Never oneself, whatever the filters say. */
static bool is_somebody_else(const struct apw_request *request)
{
    return strcmp(request->helped.user->unique_id, request->account.user->unique_id) != 0;
}

/* Reads the entry that the login finds in the whole directory, which must be that of `dn`: log
 * lines and links name the login, and it must mean nobody else. */
static bool read_entry(struct apw_request *request, const char *dn)
{
    struct apw_error error = {""};

    switch (
        apw_account_find_any(request->portal, request->helped_login, &request->helped, &error)) {
    case APW_ACCOUNT_UNAVAILABLE:
        apw_helpdesk_give_up(request, ACTION, &error);
        return false;
    case APW_ACCOUNT_SEALED:
        apw_helpdesk_log(request, APW_UNAVAILABLE, APW_REASON_SECOND_FACTOR_UNREADABLE, ACTION,
                         NULL, &error);
        apw_page_fail(&request->page, 503, APW_TEXT_PERSON_SEALED);
        return false;
    case APW_ACCOUNT_GONE:
        return refuse(request, &error);
    case APW_ACCOUNT_THERE:
        break;
    }
    return (strcmp(request->helped.user->dn, dn) == 0 && is_somebody_else(request)) ||
           refuse(request, NULL);
}

bool apw_helped_read(struct apw_request *request)
{
    const struct apw_exchange *exchange = request->exchange;
    const char *typed = exchange->is_post ? apw_form_value(&exchange->form, APW_FIELD_PERSON)
                                          : apw_form_value(&exchange->query, APW_QUERY_PERSON);
    bool is_read;
    char *dn;

    if (exchange->query.is_bad ||
        apw_login_canonicalize(typed, strlen(typed), NULL, request->helped_login) != 0)
        return refuse(request, NULL);
    if (!may_read(request))
        return false;
    dn = find(request, request->helped_login);
    is_read = dn != NULL && read_entry(request, dn);
    free(dn);
    if (!is_read)
        apw_account_free(&request->helped);
    return is_read;
}

struct apw_target apw_helped_target(const struct apw_request *request)
{
    return (struct apw_target){.dn = request->helped.user->dn};
}

/* ---- back to the page ---- */

void apw_helped_go_saying(struct apw_request *request, enum apw_text text, bool is_good)
{
    char path[sizeof APW_HELPED_PATH "?person=" + APW_LOGIN_SIZE * HEX_OF_BYTE];
    size_t length = (size_t)snprintf(path, sizeof path, APW_HELPED_PATH "?person=");

    for (const char *c = request->helped_login; *c != '\0'; c++)
        length +=
            (size_t)snprintf(path + length, sizeof path - length, "%%%02X", (unsigned char)*c);
    request->visitor->is_person_paid = true;
    apw_request_go_saying(request, path, text, is_good);
}
