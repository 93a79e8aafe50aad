/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/sender.h"
#include "account_state.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Whether the entry has the attribute; copies its first value. */
static bool copy_first(const struct apw_entry *entry, const char *name, char *value_r, size_t size)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    return found != NULL && found->count > 0 &&
           (size_t)snprintf(value_r, size, "%s", found->value[0].bytes) < size;
}

/* The attribute of the accepted name; without login_attribute, one that people may type. */
static const char *name_attribute(const struct apw_doctor_view *view)
{
    if (view->config->login_attribute != NULL)
        return view->config->login_attribute;
    for (size_t i = 0; i < view->names.count; i++) {
        char typed[APW_DOCTOR_NAME_SIZE + 4];

        snprintf(typed, sizeof typed, "(%s=%%", view->names.name[i]);
        if (strcasecmp(typed, "(mail=%") != 0 && strstr(view->config->filter, typed) != NULL)
            return view->names.name[i];
    }
    return "mail";
}

struct sender_search {
    enum apw_directory_type directory;
    const char *attribute;
    struct apw_doctor_sender *sender_r;
    bool is_found;
};

/* Ends at the first account that may sign in. */
static int take_sender(void *context, const struct apw_entry *entry)
{
    struct sender_search *search = context;
    struct apw_doctor_sender *sender = search->sender_r;
    struct apw_error error = {""};

    search->is_found = apw_account_state_read(entry, search->directory, (int64_t)time(NULL),
                                              &error) == APW_ACCOUNT_STATE_ACTIVE &&
                       copy_first(entry, "mail", sender->address, sizeof sender->address) &&
                       copy_first(entry, search->attribute, sender->name, sizeof sender->name);
    return search->is_found ? -1 : 0;
}

bool apw_doctor_sender_find(const struct apw_doctor_view *view, struct apw_doctor_sender *sender_r)
{
    const struct apw_config *config = view->config;
    const char *wanted[APW_ACCOUNT_STATE_ATTRIBUTES + 3] = {"mail", name_attribute(view)};
    const char *ended = config->disabled_filter;
    char filter[2048];
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = filter, .attributes = wanted};
    struct sender_search search = {
        .directory = config->directory, .attribute = wanted[1], .sender_r = sender_r};
    struct apw_error error = {""};

    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        wanted[i + 2] = apw_account_state_attributes[i];
    snprintf(filter, sizeof filter, "(&(mail=*)(%s=*)%s%s%s)", wanted[1], ended != NULL ? "(!" : "",
             ended != NULL ? ended : "", ended != NULL ? ")" : "");
    apw_directory_search_each(view->directory, &query, APW_DIRECTORY_PAGE_MS, take_sender, &search,
                              &error);
    return search.is_found;
}
