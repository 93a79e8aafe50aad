/* SPDX-License-Identifier: BSD-2-Clause */
#include "orphan_search.h"
#include "clock.h"
#include "directory_type.h"
#include "ldap/filter.h"
#include "progress.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

/* ---- the store, and who is found by its ids ---- */

/* The entries so far. */
struct collection {
    const struct apw_session *session;
    struct apw_orphan_entries *entries;
    enum apw_ldap_result result; /* of the last one */
    struct apw_error error;
};

static struct apw_query query_of(const struct apw_config *config, const char *filter)
{
    return (struct apw_query){.base = config->base,
                              .scope = config->scope,
                              .filter = filter,
                              .attributes = apw_search_no_attributes,
                              .limit = 2};
}

static void read_since(const struct apw_entry *entry, struct apw_orphan_entry *orphan)
{
    const struct apw_attribute *since = apw_entry_attribute(entry, "appPasswordOrphanSince");

    orphan->is_recorded = since != NULL && since->count > 0;
    orphan->has_since = orphan->is_recorded && since->count == 1 &&
                        apw_clock_parse_generalized_time(
                            since->value[0].bytes, since->value[0].length, &orphan->since) == 0;
}

/* Looks for the user with the id. */
static enum apw_ldap_result look_for(const struct apw_session *session, const char *id,
                                     bool *is_orphan_r, struct apw_error *error)
{
    char *filter = apw_store_user_filter(session->config, id);
    const struct apw_query query = query_of(session->config, filter);
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    struct apw_entry *found = NULL;

    if (filter == NULL)
        apw_error_set(error, "out of memory");
    else
        result = apw_directory_search(session->directory, &query,
                                      apw_user_deadline(&session->manager), &found, error);
    *is_orphan_r = found == NULL;
    apw_entries_free(&found);
    free(filter);
    return result;
}

/* Appends a copy of the entry, with its texts. -1 if out of memory. */
static int keep(struct apw_orphan_entries *entries, const struct apw_entry *entry,
                const struct apw_orphan_entry *orphan, const char *id)
{
    struct apw_orphan_entry *grown = realloc(entries->entry, (entries->count + 1) * sizeof *grown);

    if (grown == NULL)
        return -1;
    entries->entry = grown;
    grown += entries->count++;
    *grown = *orphan;
    grown->dn = strdup(entry->dn);
    grown->id =
        orphan->is_strange ? apw_entry_copy_first(entry, "appPasswordOwner", "") : strdup(id);
    if (grown->id != NULL)
        grown->name = apw_entry_copy_first(entry, "uid", grown->id);
    return grown->dn != NULL && grown->name != NULL ? 0 : -1;
}

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct collection *collection = context;
    struct apw_orphan_entries *entries = collection->entries;
    struct apw_orphan_entry orphan = {.dn = NULL};
    char id[APW_STORE_ID_SIZE];
    int status = 0;

    entries->total++;
    read_since(entry, &orphan);
    orphan.is_strange = apw_store_read_owner(collection->session->config, entry, id) != 0;
    if (!orphan.is_strange)
        collection->result =
            look_for(collection->session, id, &orphan.is_orphan, &collection->error);
    if (collection->result != APW_LDAP_OK)
        return -1;
    if (orphan.is_orphan || orphan.is_strange || orphan.is_recorded)
        status = keep(entries, entry, &orphan, id);
    if (entries->control == NULL && !orphan.is_orphan && !orphan.is_strange) {
        entries->control = strdup(id);
        status = entries->control == NULL ? -1 : status;
    }
    if (status != 0) {
        apw_error_set(&collection->error, "out of memory");
        collection->result = APW_LDAP_UNAVAILABLE;
    }
    apw_progress_step();
    return status;
}

/* Looks for everybody once, wherever the answer comes from. */
static enum apw_ldap_result look_for_all(const struct apw_session *session,
                                         struct apw_orphan_entries *entries,
                                         struct apw_error *error)
{
    static const char *const attributes[] = {"appPasswordOwner", "uid", "appPasswordOrphanSince",
                                             NULL};
    const struct apw_config *config = session->config;
    const struct apw_query query = {.base = config->store.base,
                                    .scope = APW_SCOPE_ONE,
                                    .filter = "(objectClass=appPasswordEntry)",
                                    .attributes = attributes};
    struct collection collection = {.session = session, .entries = entries, .result = APW_LDAP_OK};
    enum apw_ldap_result result = apw_directory_search_each(
        session->store, &query, APW_DIRECTORY_PAGE_MS, look_at_entry, &collection, error);

    if (result != APW_LDAP_OK || collection.result == APW_LDAP_OK)
        return result;
    *error = collection.error;
    return collection.result;
}

/* ---- each server of the users' directory ---- */

/* One server, and somebody whom it must find. */
struct witness {
    const char *uri;
    struct apw_directory *directory;
    const char *control; /* the id */
};

/* What the answers say. AD refers to its other partitions in every search of the whole domain. */
static enum apw_ldap_result judge(const struct apw_session *session, const struct witness *witness,
                                  const struct apw_search_series *series,
                                  struct apw_orphan_entry *entry, struct apw_error *error)
{
    const struct apw_search *search = &series->search[1];

    if (series->asked < series->count) {
        apw_error_set(error, "%s finds nobody with the %s %s, whom another search found",
                      witness->uri, session->config->store.id_attribute->name, witness->control);
        return APW_LDAP_REFUSED;
    }
    if (search->entries != NULL) {
        entry->is_orphan = false;
    } else if (search->has_references &&
               session->config->directory != APW_DIRECTORY_ACTIVE_DIRECTORY) {
        apw_error_set(error, "%s refers to other servers for a part of base \"%s\"", witness->uri,
                      session->config->base);
        return APW_LDAP_REFUSED;
    }
    return APW_LDAP_OK;
}

/* Fails if somebody with the name of the entry shows no id: it may be this one. The name decides
 * nothing else. */
static enum apw_ldap_result check_namesake(const struct apw_session *session,
                                           const struct witness *witness,
                                           const struct apw_orphan_entry *entry,
                                           struct apw_error *error)
{
    const struct apw_config *config = session->config;
    const char *const attributes[] = {config->store.id_attribute->name, NULL};
    char *filter = apw_filter_expand(config->filter, entry->name);
    struct apw_query query = query_of(config, filter);
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    struct apw_entry *found = NULL;
    char id[APW_STORE_ID_SIZE];

    query.attributes = attributes;
    if (filter == NULL)
        apw_error_set(error, "out of memory");
    else
        result = apw_directory_search(witness->directory, &query,
                                      apw_user_deadline(&session->manager), &found, error);
    for (const struct apw_entry *user = found; user != NULL && result == APW_LDAP_OK;
         user = user->next)
        if (apw_store_read_id(config, user, id, error) != 0)
            result = APW_LDAP_REFUSED;
    apw_entries_free(&found);
    free(filter);
    return result;
}

/* Asks one server for the control and then, on the same connection, for the user of the entry. */
static enum apw_ldap_result confirm(const struct apw_session *session,
                                    const struct witness *witness, struct apw_orphan_entry *entry,
                                    struct apw_error *error)
{
    char *control = apw_store_user_filter(session->config, witness->control);
    char *filter = apw_store_user_filter(session->config, entry->id);
    struct apw_search_series series = {.count = 2,
                                       .search = {{.query = query_of(session->config, control)},
                                                  {.query = query_of(session->config, filter)}}};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;

    if (control == NULL || filter == NULL)
        apw_error_set(error, "out of memory");
    else
        result = apw_directory_search_series(witness->directory, &series,
                                             apw_user_deadline(&session->manager), error);
    if (result == APW_LDAP_OK)
        result = judge(session, witness, &series, entry, error);
    if (result == APW_LDAP_OK && entry->is_orphan)
        result = check_namesake(session, witness, entry, error);
    apw_search_series_clear(&series);
    free(control);
    free(filter);
    return result;
}

/* Asks one server about everybody who was not found so far. */
static enum apw_ldap_result confirm_at(const struct apw_session *session, const char *uri,
                                       struct apw_orphan_entries *entries, struct apw_error *error)
{
    const struct apw_uris alone = {.count = 1, .uri = {(char *)uri}};
    struct witness witness = {.uri = uri, .control = entries->control};
    enum apw_ldap_result result = APW_LDAP_OK;

    if (apw_session_connect(session->config, &alone, &session->reader, &witness.directory, error) !=
        0)
        return APW_LDAP_REFUSED;
    for (size_t i = 0; i < entries->count && result == APW_LDAP_OK; i++)
        if (entries->entry[i].is_orphan)
            result = confirm(session, &witness, &entries->entry[i], error);
    apw_directory_free(&witness.directory);
    return result;
}

/* Whether more are missing than are found: then rather a setting is wrong. */
static bool is_most_missing(const struct apw_orphan_entries *entries)
{
    size_t missing = 0;

    for (size_t i = 0; i < entries->count; i++)
        missing += entries->entry[i].is_orphan || entries->entry[i].is_strange;
    return missing > entries->total - missing;
}

static enum apw_ldap_result confirm_all(const struct apw_session *session,
                                        struct apw_orphan_entries *entries, struct apw_error *error)
{
    const char *control = entries->control;
    const struct apw_uris *uris = &session->config->uris;
    enum apw_ldap_result result = APW_LDAP_OK;

    for (unsigned i = 0; control != NULL && i < uris->count && result == APW_LDAP_OK; i++)
        result = confirm_at(session, uris->uri[i], entries, error);
    if (result != APW_LDAP_OK || entries->total == 0 ||
        (control != NULL && !is_most_missing(entries)))
        return result;
    apw_error_set(error,
                  "%s of the %zu entries of the store %s a user below \"%s\": first check base, "
                  "id_attribute %s, and that this identity may read it",
                  control == NULL ? "none" : "less than half", entries->total,
                  control == NULL ? "has" : "have", session->config->base,
                  session->config->store.id_attribute->name);
    return APW_LDAP_REFUSED;
}

enum apw_manage_result apw_orphan_search(const struct apw_session *session,
                                         struct apw_orphan_entries *entries_r,
                                         struct apw_error *error)
{
    enum apw_ldap_result result;

    *entries_r = (struct apw_orphan_entries){.count = 0};
    result = look_for_all(session, entries_r, error);
    if (result == APW_LDAP_OK)
        result = confirm_all(session, entries_r, error);
    return apw_user_result_of(result);
}

void apw_orphan_entries_clear(struct apw_orphan_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->entry[i].dn);
        free(entries->entry[i].id);
        free(entries->entry[i].name);
    }
    free(entries->entry);
    free(entries->control);
    *entries = (struct apw_orphan_entries){.count = 0};
}
