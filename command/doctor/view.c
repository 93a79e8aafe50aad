/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/view.h"
#include "account_state.h"
#include "clock.h"
#include "ldap/filter.h"
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const no_attributes[] = {"1.1", NULL};

void apw_doctor_view_open(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                          const struct apw_session *session, struct apw_doctor_view *view_r)
{
    struct apw_error error;

    *view_r =
        (struct apw_doctor_view){.diagnosis = diagnosis, .config = config, .session = session};
    apw_doctor_names_add_filter(&view_r->names, config->filter);
    if (config->login_attribute != NULL)
        apw_doctor_names_add(&view_r->names, config->login_attribute);
    apw_session_connect(config, &config->uris, &config->identity, &view_r->directory, &error);
}

void apw_doctor_view_close(struct apw_doctor_view *view)
{
    free(view->sample);
    apw_directory_free(&view->directory);
}

int64_t apw_doctor_view_deadline(const struct apw_doctor_view *view)
{
    return apw_clock_monotonic_ms() + view->config->deadline_ms;
}

enum apw_ldap_result apw_doctor_view_search(const struct apw_doctor_view *view,
                                            struct apw_directory *directory,
                                            const struct apw_query *query,
                                            struct apw_entry **entries_r, struct apw_error *error)
{
    *entries_r = NULL;
    return apw_directory_search(directory, query, apw_doctor_view_deadline(view), entries_r, error);
}

enum apw_ldap_result apw_doctor_view_read(const struct apw_doctor_view *view,
                                          struct apw_directory *directory, const char *dn,
                                          const char *const *attributes, struct apw_entry **entry_r,
                                          struct apw_error *error)
{
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = attributes != NULL ? attributes : no_attributes,
                                    .limit = 1};

    return apw_doctor_view_search(view, directory, &query, entry_r, error);
}

char *apw_doctor_view_find(const struct apw_doctor_view *view, struct apw_directory *directory,
                           const char *filter)
{
    const struct apw_query query = {.base = view->config->base,
                                    .scope = view->config->scope,
                                    .filter = filter,
                                    .attributes = no_attributes,
                                    .limit = 1};
    struct apw_entry *entry;
    struct apw_error error = {""};
    char *dn = NULL;

    apw_doctor_view_search(view, directory, &query, &entry, &error);
    if (entry != NULL)
        dn = strdup(entry->dn);
    apw_entries_free(&entry);
    return dn;
}

/* Nobody has the rights of others in an entry of their own. */
static bool is_own_entry(const struct apw_doctor_view *view, const char *dn)
{
    return strcasecmp(dn, apw_doctor_view_dn(&view->config->identity)) == 0 ||
           (view->session != NULL &&
            strcasecmp(dn, apw_doctor_view_dn(&view->session->identity)) == 0);
}

/* One that is no identity's own. */
static char *find_user(const struct apw_doctor_view *view, const char *filter)
{
    const struct apw_query query = {.base = view->config->base,
                                    .scope = view->config->scope,
                                    .filter = filter,
                                    .attributes = no_attributes,
                                    .limit = 3};
    struct apw_entry *entries;
    struct apw_error error = {""};
    char *dn = NULL;

    apw_doctor_view_search(view, view->directory, &query, &entries, &error);
    for (const struct apw_entry *entry = entries; entry != NULL && dn == NULL; entry = entry->next)
        if (!is_own_entry(view, entry->dn))
            dn = strdup(entry->dn);
    apw_entries_free(&entries);
    return dn;
}

void apw_doctor_view_find_sample(struct apw_doctor_view *view)
{
    char *users = apw_filter_expand_any(view->config->filter), *ordinary = NULL;

    if (users != NULL && view->config->directory == APW_DIRECTORY_ACTIVE_DIRECTORY &&
        asprintf(&ordinary, "(&%s(!(adminCount=1)))", users) >= 0) {
        view->sample = find_user(view, ordinary);
        free(ordinary);
    }
    if (users != NULL && view->sample == NULL)
        view->sample = find_user(view, users);
    free(users);
}

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

bool apw_doctor_view_find_sender(const struct apw_doctor_view *view,
                                 struct apw_doctor_sender *sender_r)
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
    apw_directory_search_each(view->directory, &query, config->deadline_ms, take_sender, &search,
                              &error);
    return search.is_found;
}

const char *apw_doctor_view_dn(const struct apw_identity *identity)
{
    return identity->dn != NULL ? identity->dn : "DN of your EXTERNAL identity";
}
