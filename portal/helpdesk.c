/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpdesk.h"
#include <stdio.h>
#include <stdlib.h>

#define ACTION "help-desk"
#define HEAD   "who-help-desk.html"

bool apw_helpdesk_exists(const struct apw_portal *portal)
{
    return portal->portal_config->helpdesk.staff != NULL;
}

/* ---- who is the help desk ---- */

/* Searches for people of the help desk. */
static enum apw_ldap_result find_staff(const struct apw_portal *portal, const char *base,
                                       enum apw_scope scope, struct apw_entry **entries_r,
                                       struct apw_error *error)
{
    const struct apw_query query = {.base = base,
                                    .scope = scope,
                                    .filter = portal->portal_config->helpdesk.staff,
                                    .attributes = apw_search_no_attributes,
                                    .limit = 1};

    return apw_directory_search(portal->directory, &query, apw_user_deadline(&portal->manager),
                                entries_r, error);
}

/* By the directory. OK with *is_staff_r, else the reason is in the error. */
static enum apw_ldap_result ask(const struct apw_request *request, bool *is_staff_r,
                                struct apw_error *error)
{
    struct apw_entry *entries = NULL;
    enum apw_ldap_result result =
        find_staff(request->portal, request->account.user->dn, APW_SCOPE_BASE, &entries, error);

    *is_staff_r = result == APW_LDAP_OK && entries != NULL;
    apw_entries_free(&entries);
    return result;
}

/* Whether this session may be one of the help desk, whoever the visitor is. */
static bool has_passed_second_step(const struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;

    return request->session->level == APW_RIGHTS_FULL && !visitor->is_single_sign_on &&
           !visitor->is_invited && !visitor->is_remembered;
}

bool apw_helpdesk_is_open(struct apw_request *request)
{
    struct apw_error error = {""};
    bool is_staff = false;

    if (apw_helpdesk_exists(request->portal) && has_passed_second_step(request) &&
        ask(request, &is_staff, &error) != APW_LDAP_OK) {
        apw_request_give_up(request, ACTION, &error);
        return false;
    }
    if (is_staff)
        request->page.who = HEAD;
    else
        apw_page_fail(&request->page, 404, APW_TEXT_NOT_FOUND);
    return is_staff;
}

void apw_helpdesk_add_head(struct apw_request *request)
{
    struct apw_error error = {""};
    bool is_staff = false;

    if (apw_helpdesk_exists(request->portal) && has_passed_second_step(request) &&
        ask(request, &is_staff, &error) != APW_LDAP_OK)
        apw_request_log(request, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE, ACTION, NULL,
                        &error); /* the owner's own page needs no answer */
    if (is_staff)
        request->page.who = HEAD;
}

bool apw_helpdesk_may_be_staff(const struct apw_request *request)
{
    struct apw_error error = {""};
    bool is_staff;

    return apw_helpdesk_exists(request->portal) &&
           (ask(request, &is_staff, &error) != APW_LDAP_OK || is_staff);
}

/* ---- whom they may help ---- */

/* "(&(users)(!(staff))(filter))"; NULL without memory. The caller frees it. */
static char *limit(const struct apw_portal *portal, const char *filter)
{
    const struct apw_helpdesk_settings *settings = &portal->portal_config->helpdesk;
    const struct apw_directory_traits *traits = apw_directory_traits(portal->config->directory);
    char *limited;

    return asprintf(
               &limited, "(&%s%s%s(!%s)%s)", traits->user_filter == NULL ? "" : traits->user_filter,
               traits->other_than_administrators == NULL ? "" : traits->other_than_administrators,
               settings->users, settings->staff, filter) >= 0
               ? limited
               : NULL;
}

enum apw_ldap_result apw_helpdesk_search(const struct apw_portal *portal, const char *filter,
                                         const char *const *attributes, unsigned most,
                                         struct apw_entry **entries_r, struct apw_error *error)
{
    const char *base = portal->portal_config->helpdesk.base;
    char *limited = limit(portal, filter);
    const struct apw_query query = {.base = base != NULL ? base : portal->config->base,
                                    .scope = base != NULL ? APW_SCOPE_SUB : portal->config->scope,
                                    .filter = limited,
                                    .attributes = attributes,
                                    .limit = most};
    enum apw_ldap_result result;

    *entries_r = NULL;
    if (limited == NULL) {
        apw_error_set(error, "out of memory");
        return APW_LDAP_UNAVAILABLE;
    }
    result = apw_directory_search(portal->directory, &query, apw_user_deadline(&portal->manager),
                                  entries_r, error);
    free(limited);
    return result;
}

/* ---- the configuration ---- */

/* REFUSED if nothing was found. */
static enum apw_ldap_result judge(enum apw_ldap_result result, struct apw_entry **entries,
                                  const char *complaint, struct apw_error *error)
{
    if (result == APW_LDAP_OK && *entries == NULL) {
        apw_error_set(error,
                      "%s; look at the filter, and at \"The help desk\" in "
                      "ldap-schema/README.md for the rights that the page needs",
                      complaint);
        result = APW_LDAP_REFUSED;
    }
    apw_entries_free(entries);
    return result;
}

enum apw_ldap_result apw_helpdesk_try(const struct apw_portal *portal, struct apw_error *error)
{
    struct apw_entry *entries = NULL;
    enum apw_ldap_result result =
        find_staff(portal, portal->config->base, portal->config->scope, &entries, error);

    result =
        judge(result, &entries, "helpdesk_filter matches nobody, so there is no help desk", error);
    if (result != APW_LDAP_OK)
        return result;
    result = apw_helpdesk_search(portal, "(objectClass=*)", apw_search_no_attributes, 1, &entries,
                                 error);
    return judge(result, &entries, "helpdesk_users matches nobody whom the help desk may help",
                 error);
}

/* ---- what they do ---- */

void apw_helpdesk_log(struct apw_request *request, enum apw_verdict verdict, enum apw_reason reason,
                      const char *action, const char *id, const struct apw_error *error)
{
    const struct apw_account_event event = {.verdict = verdict,
                                            .reason = reason,
                                            .login = request->helped_login,
                                            .client = request->exchange->client,
                                            .action = action,
                                            .id = id,
                                            .actor = request->visitor->login,
                                            .error = error};

    apw_account_log(request->portal, &event);
}

void apw_helpdesk_give_up(struct apw_request *request, const char *action,
                          const struct apw_error *error)
{
    apw_helpdesk_log(request, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE, action, NULL,
                     error);
    apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
}
