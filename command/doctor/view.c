/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/view.h"
#include "clock.h"
#include "ldap/filter.h"
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The identity with which the administrator's session reads the directory with the users. */
static const struct apw_identity *find_reader(const struct apw_session *session)
{
    if (session == NULL)
        return NULL;
    return session->store != NULL ? &session->reader : &session->identity;
}

void apw_doctor_view_open(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                          const struct apw_session *session, struct apw_doctor_view *view_r)
{
    struct apw_error error;

    *view_r = (struct apw_doctor_view){
        .diagnosis = diagnosis,
        .config = config,
        .session = session,
        .holder = view_r,
        .prefix = "",
        .type = config->directory,
        .uris = &config->uris,
        .write_uris = &config->write_uris,
        .identity = &config->identity,
        .manager = find_reader(session),
        .base = config->base,
        .scope = config->scope,
        .filter = config->filter,
        .managed = session != NULL ? session->directory : NULL,
    };
    apw_doctor_names_add_filter(&view_r->names, config->filter);
    if (config->login_attribute != NULL)
        apw_doctor_names_add(&view_r->names, config->login_attribute);
    view_r->searched = view_r->names.count;
    if (apw_config_has_store(config))
        apw_doctor_names_add(&view_r->names, config->store.id_attribute->name);
    apw_doctor_view_connect(view_r, view_r->uris, view_r->identity, &view_r->directory, &error);
}

void apw_doctor_view_open_store(struct apw_doctor_view *users, struct apw_doctor_view *store_r)
{
    const struct apw_store_config *store = &users->config->store;
    const struct apw_session *session = users->session;
    struct apw_error error;

    *store_r = (struct apw_doctor_view){
        .diagnosis = users->diagnosis,
        .config = users->config,
        .session = session,
        .holder = store_r,
        .prefix = "store_",
        .type = apw_config_holder(users->config),
        .uris = &store->uris,
        .write_uris = &store->write_uris,
        .identity = &store->identity,
        .manager = session != NULL ? &session->identity : NULL,
        .base = store->base,
        .scope = APW_SCOPE_ONE,
        .filter = "(appPasswordOwner=%u)",
        .managed = session != NULL ? session->store : NULL,
    };
    users->holder = store_r;
    apw_doctor_names_add(&store_r->names, "appPasswordOwner");
    store_r->searched = store_r->names.count;
    apw_doctor_view_connect(store_r, store_r->uris, store_r->identity, &store_r->directory, &error);
}

void apw_doctor_view_close(struct apw_doctor_view *view)
{
    free(view->sample);
    apw_directory_free(&view->directory);
}

bool apw_doctor_view_is_store(const struct apw_doctor_view *view)
{
    return view->prefix[0] != '\0';
}

bool apw_doctor_view_is_holder(const struct apw_doctor_view *view)
{
    return apw_doctor_view_is_store(view) || !apw_config_has_store(view->config);
}

int apw_doctor_view_connect(const struct apw_doctor_view *view, const struct apw_uris *uris,
                            const struct apw_identity *identity, struct apw_directory **directory_r,
                            struct apw_error *error)
{
    return apw_doctor_view_is_store(view)
               ? apw_session_connect_holder(view->config, uris, identity, directory_r, error)
               : apw_session_connect(view->config, uris, identity, directory_r, error);
}

struct apw_directory *apw_doctor_view_best(const struct apw_doctor_view *view)
{
    return view->managed != NULL ? view->managed : view->directory;
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
                                    .attributes =
                                        attributes != NULL ? attributes : apw_search_no_attributes,
                                    .limit = 1};

    return apw_doctor_view_search(view, directory, &query, entry_r, error);
}

char *apw_doctor_view_find(const struct apw_doctor_view *view, struct apw_directory *directory,
                           const char *filter)
{
    const struct apw_query query = {.base = view->base,
                                    .scope = view->scope,
                                    .filter = filter,
                                    .attributes = apw_search_no_attributes,
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

bool apw_doctor_view_matches(const struct apw_doctor_view *view, struct apw_directory *directory,
                             const char *dn, const char *filter)
{
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = filter,
                                    .attributes = apw_search_no_attributes,
                                    .limit = 1};
    struct apw_entry *entry;
    struct apw_error error = {""};
    bool is_found;

    apw_doctor_view_search(view, directory, &query, &entry, &error);
    is_found = entry != NULL;
    apw_entries_free(&entry);
    return is_found;
}

/* Nobody has the rights of others in an entry of their own. */
static bool is_own_entry(const struct apw_doctor_view *view, const char *dn)
{
    return strcasecmp(dn, apw_doctor_view_dn(view->identity)) == 0 ||
           (view->manager != NULL && strcasecmp(dn, apw_doctor_view_dn(view->manager)) == 0);
}

/* One that is no identity's own. */
static char *find_user(const struct apw_doctor_view *view, const char *filter)
{
    const struct apw_query query = {.base = view->base,
                                    .scope = view->scope,
                                    .filter = filter,
                                    .attributes = apw_search_no_attributes,
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

struct apw_manager apw_doctor_view_manager(const struct apw_doctor_view *users)
{
    return (struct apw_manager){
        .config = users->config,
        .directory = users->directory,
        .store = users->holder != users ? users->holder->directory : NULL,
    };
}

void apw_doctor_view_find_sample(struct apw_doctor_view *view)
{
    char *users = apw_filter_expand_any(view->filter), *ordinary = NULL;

    if (users != NULL && view->type == APW_DIRECTORY_ACTIVE_DIRECTORY &&
        asprintf(&ordinary, "(&%s(!(adminCount=1)))", users) >= 0) {
        view->sample = find_user(view, ordinary);
        free(ordinary);
    }
    if (users != NULL && view->sample == NULL)
        view->sample = find_user(view, users);
    free(users);
}

const char *apw_doctor_view_dn(const struct apw_identity *identity)
{
    return identity->dn != NULL ? identity->dn : "DN of your EXTERNAL identity";
}
