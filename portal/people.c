/* SPDX-License-Identifier: BSD-2-Clause */
#include "people.h"
#include "clock.h"
#include "helpdesk.h"
#include "ldap/filter.h"
#include "login.h"
#include "utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ACTION         "help-desk-find"
#define FEWEST_LETTERS 3  /* fewer would match half the directory */
#define MOST_PEOPLE    20 /* on one page */

/* A day at a help desk is no attack; reading out the whole directory is one. */
static const struct apw_patience patience = {.free = 30, .base_s = 1, .most_s = 10};

void apw_people_show(struct apw_request *request)
{
    apw_page_set(&request->page, "typed", "");
    apw_page_show(&request->page, APW_TITLE_HELP_DESK, "people-form.html");
}

/* ---- the filter ---- */

static const char *name_attribute(const struct apw_config *config)
{
    return config->login_attribute != NULL
               ? config->login_attribute
               : apw_directory_traits(config->directory)->name_attribute;
}

/* Matches those whom the text may mean; of a short text, only the login. NULL without memory. The
 * caller frees it. */
static char *write_filter(const struct apw_config *config, const char *text)
{
    char *template = NULL, *filter;

    if (apw_utf8_characters(text, strlen(text)) < FEWEST_LETTERS)
        return apw_filter_expand(config->filter, text);
    if (asprintf(&template, "(|%s(displayName=*%%u*)(cn=*%%u*)(mail=%%u*)(%s=%%u*))",
                 config->filter, name_attribute(config)) < 0)
        return NULL;
    filter = apw_filter_expand(template, text);
    free(template);
    return filter;
}

/* ---- what was found ---- */

static const char *first_value(const struct apw_entry *entry, const char *name)
{
    const struct apw_attribute *attribute = apw_entry_attribute(entry, name);

    return attribute == NULL || attribute->count == 0 ||
                   !apw_utf8_is_valid(attribute->value[0].bytes, attribute->value[0].length)
               ? ""
               : attribute->value[0].bytes;
}

/* Whether the configuration's filter compares this attribute with the login. */
static bool finds_by(const struct apw_config *config, const char *attribute)
{
    size_t length = strlen(attribute);

    for (const char *at = config->filter; (at = strchr(at, '(')) != NULL;)
        if (strncasecmp(++at, attribute, length) == 0 && strncmp(at + length, "=%", 2) == 0)
            return true;
    return false;
}

/* What finds this person again. */
static const char *login_of(const struct apw_config *config, const struct apw_entry *entry)
{
    const char *name = first_value(entry, name_attribute(config));

    return name[0] != '\0' &&
                   (config->login_attribute != NULL || finds_by(config, name_attribute(config)))
               ? name
               : first_value(entry, "mail");
}

static void add_row(struct apw_request *request, const struct apw_entry *entry)
{
    const char *login = login_of(request->portal->config, entry);
    const char *name = first_value(entry, "displayName");
    struct apw_page *page = &request->page;

    if (login[0] == '\0')
        return; /* no login finds this entry */
    if (name[0] == '\0')
        name = first_value(entry, "cn");
    apw_page_set(page, "name", name[0] != '\0' ? name : login);
    apw_page_set(page, "person", login);
    apw_page_set(page, "mail", first_value(entry, "mail"));
    apw_page_add(page, "people-row.html");
}

static void show_found(struct apw_request *request, const char *text,
                       const struct apw_entry *entries)
{
    struct apw_page *page = &request->page;
    unsigned count = 0;

    apw_page_set(page, "typed", text);
    apw_page_open(page, 200, APW_TITLE_HELP_DESK);
    apw_page_add(page, "people-form.html");
    apw_page_add(page, entries == NULL ? "people-none.html" : "people-top.html");
    for (; entries != NULL && count < MOST_PEOPLE; entries = entries->next, count++)
        add_row(request, entries);
    if (count > 0)
        apw_page_add(page, "people-end.html");
    if (entries != NULL)
        apw_page_add(page, "people-more.html");
    apw_page_add(page, "people-close.html");
    apw_page_end(page);
}

/* ---- finding ---- */

/* Searches and shows who was found. */
static void find(struct apw_request *request, const char *text)
{
    const struct apw_config *config = request->portal->config;
    const char *const attributes[] = {"displayName", "cn", "mail", name_attribute(config), NULL};
    char *filter = write_filter(config, text);
    struct apw_entry *entries = NULL;
    struct apw_error error = {"out of memory"};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;

    if (filter != NULL)
        result = apw_helpdesk_search(request->portal, filter, attributes, MOST_PEOPLE + 1, &entries,
                                     &error);
    free(filter);
    if (result == APW_LDAP_OK) {
        apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, ACTION, NULL, NULL);
        show_found(request, text, entries);
    } else {
        apw_request_give_up(request, ACTION, &error);
    }
    apw_entries_free(&entries);
}

static void complain(struct apw_request *request, enum apw_text text)
{
    struct apw_page *page = &request->page;

    apw_page_complain(page, text);
    apw_page_set(page, "typed", "");
    apw_page_open(page, 400, APW_TITLE_HELP_DESK);
    apw_page_add(page, "people-form.html");
    apw_page_end(page);
}

void apw_people_do_find(struct apw_request *request)
{
    const char *typed = apw_request_field(request, APW_FIELD_FIND);
    char text[APW_LOGIN_SIZE];

    if (apw_login_canonicalize(typed, strlen(typed), NULL, text) != 0) {
        complain(request, APW_TEXT_BAD_SEARCH);
        return;
    }
    if (!apw_throttle_take(request->portal->account_throttle, ACTION,
                           request->account.user->unique_id, &patience, apw_clock_monotonic_ms())) {
        apw_request_log(request, APW_REFUSED, APW_REASON_TOO_MANY_TRIES, ACTION, NULL, NULL);
        complain(request, APW_TEXT_WAIT_SEARCH);
        return;
    }
    find(request, text);
}
