/* SPDX-License-Identifier: BSD-2-Clause */
#include "user.h"
#include "clock.h"
#include "ldap/filter.h"
#include "login.h"
#include "store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t apw_user_deadline(const struct apw_manager *manager)
{
    return apw_clock_monotonic_ms() + manager->config->deadline_ms;
}

enum apw_manage_result apw_user_result_of(enum apw_ldap_result result)
{
    switch (result) {
    case APW_LDAP_OK:
        return APW_MANAGE_DONE;
    case APW_LDAP_NO_SUCH_OBJECT:
        return APW_MANAGE_CONFIGURATION;
    case APW_LDAP_NOT_PERMITTED:
        return APW_MANAGE_NOT_PERMITTED;
    case APW_LDAP_REFUSED:
        return APW_MANAGE_REFUSED;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_CONFLICT:
    case APW_LDAP_READ_ONLY:
        break;
    }
    return APW_MANAGE_UNAVAILABLE;
}

/* Explains a failed search of the users' directory. */
static enum apw_manage_result explain(enum apw_ldap_result result, const struct apw_config *config,
                                      struct apw_error *error)
{
    if (result == APW_LDAP_NO_SUCH_OBJECT)
        apw_error_set(error,
                      "base \"%s\" of %s: it does not exist, or this identity may not read it",
                      config->base, config->path);
    return apw_user_result_of(result);
}

/* The same for the store. */
static enum apw_manage_result
explain_store(enum apw_ldap_result result, const struct apw_config *config, struct apw_error *error)
{
    if (result == APW_LDAP_NO_SUCH_OBJECT)
        apw_store_set_no_base(config, error);
    return apw_user_result_of(result);
}

/* Finds the entry in the store of the user whose own entry is `entry`; NULL if there is none. */
static enum apw_manage_result find_stored(const struct apw_manager *manager,
                                          const struct apw_entry *entry,
                                          struct apw_entry **stored_r, struct apw_error *error)
{
    const struct apw_world store = apw_world_of(manager->store);
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    char id[APW_STORE_ID_SIZE];
    enum apw_ldap_result result;

    if (apw_store_read_id(manager->config, entry, id, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    apw_user_list_stored(manager->with_enrolment, wanted);
    result = apw_store_find(&store, manager->config, id, wanted, apw_user_deadline(manager),
                            stored_r, error);
    return explain_store(result, manager->config, error);
}

static enum apw_manage_result read_entry(const struct apw_manager *manager,
                                         const struct apw_entry *entry, struct apw_user **user_r,
                                         struct apw_error *error)
{
    struct apw_entry *stored = NULL;
    const struct apw_entry *holder = entry;

    *user_r = NULL;
    if (apw_config_has_store(manager->config)) {
        enum apw_manage_result result = find_stored(manager, entry, &stored, error);

        if (result != APW_MANAGE_DONE)
            return result;
        holder = stored;
    }
    *user_r = apw_user_read(manager->config, manager->also, entry, holder, error);
    apw_entries_free(&stored);
    return *user_r != NULL ? APW_MANAGE_DONE : APW_MANAGE_UNAVAILABLE;
}

/* Finds exactly one entry, or explains why not. */
static enum apw_manage_result search(const struct apw_manager *manager, const char *base,
                                     enum apw_scope scope, const char *filter,
                                     struct apw_entry **entries_r, struct apw_error *error)
{
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    const struct apw_query query = {
        .base = base, .scope = scope, .filter = filter, .attributes = wanted, .limit = 2};
    enum apw_ldap_result result;

    apw_user_list_attributes(manager->config, manager->with_enrolment, manager->also, wanted);
    result = apw_directory_search(manager->directory, &query, apw_user_deadline(manager), entries_r,
                                  error);
    if (result == APW_LDAP_NO_SUCH_OBJECT && scope == APW_SCOPE_BASE)
        return APW_MANAGE_NOT_FOUND;
    if (result != APW_LDAP_OK)
        return explain(result, manager->config, error);
    if (*entries_r == NULL) {
        apw_error_set(error,
                      "no such user: nothing below \"%s\" matches %s, or nothing that this "
                      "identity may read",
                      base, filter);
        return APW_MANAGE_NOT_FOUND;
    }
    if ((*entries_r)->next != NULL) {
        apw_error_set(error, "more than one entry matches %s: \"%s\" and \"%s\"", filter,
                      (*entries_r)->dn, (*entries_r)->next->dn);
        return APW_MANAGE_REFUSED;
    }
    return APW_MANAGE_DONE;
}

/* Finds the login with the configuration's filter. */
static enum apw_manage_result search_login(const struct apw_manager *manager, const char *login,
                                           const char *base, enum apw_scope scope,
                                           struct apw_entry **entries_r, struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    enum apw_manage_result result;
    char name[APW_LOGIN_SIZE];
    char *filter;

    if (apw_login_canonicalize(login, strlen(login), NULL, name) != 0) {
        apw_error_set(error,
                      "no login can have this name: it is blank, longer than %d bytes, not UTF-8 "
                      "or has control characters",
                      APW_LOGIN_BYTES_MAX);
        return APW_MANAGE_NOT_FOUND;
    }
    filter = apw_filter_expand(config->filter, name);
    if (filter == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    result = search(manager, base, scope, filter, entries_r, error);
    free(filter);
    return result;
}

enum apw_manage_result apw_user_find(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_user **user_r,
                                     struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    const char *base = target->dn != NULL ? target->dn : config->base;
    enum apw_scope scope = target->dn != NULL ? APW_SCOPE_BASE : config->scope;
    struct apw_entry *entries = NULL;
    enum apw_manage_result result;

    *user_r = NULL;
    result = target->login != NULL
                 ? search_login(manager, target->login, base, scope, &entries, error)
                 : search(manager, base, scope, "(objectClass=*)", &entries, error);
    if (result == APW_MANAGE_DONE)
        result = read_entry(manager, entries, user_r, error);
    apw_entries_free(&entries);
    return result;
}

/* Reads an entry as a user, or as NULL if nobody is to be called for it. */
typedef enum apw_manage_result (*entry_reader)(const struct apw_manager *manager,
                                               const struct apw_entry *entry,
                                               struct apw_user **user_r, struct apw_error *error);

/* Passes each entry on as a user. */
struct relay {
    const struct apw_manager *manager;
    entry_reader read;
    apw_user_callback callback;
    void *context;
    enum apw_manage_result result; /* DONE unless an entry could not be read */
    struct apw_error *error;
    size_t without_id;         /* users left out */
    struct apw_error first_id; /* why the first of them was */
};

/* Whether the user has an id in the store, if one is needed. */
static bool has_id(struct relay *relay, const struct apw_entry *entry)
{
    const struct apw_config *config = relay->manager->config;
    struct apw_error error = {""};
    char id[APW_STORE_ID_SIZE];

    if (!apw_config_has_store(config) || apw_store_read_id(config, entry, id, &error) == 0)
        return true;
    if (relay->without_id++ == 0)
        relay->first_id = error;
    return false;
}

static int relay_entry(void *context, const struct apw_entry *entry)
{
    struct relay *relay = context;
    struct apw_user *user = NULL;
    int status;

    if (relay->read == read_entry && !has_id(relay, entry))
        return 0;
    relay->result = relay->read(relay->manager, entry, &user, relay->error);
    if (relay->result != APW_MANAGE_DONE)
        return -1;
    status = relay->callback(relay->context, user);
    apw_user_free(&user);
    return status;
}

/* What to do if a directory does not show this identity everybody. */
static const char limit_of_users[] =
    "raise this limit in the users' directory for the identity that reads it (binddn of "
    "admin.conf, or else of app-password.conf), or name another one in admin.conf";
static const char limit_of_store[] =
    "raise this limit in the store for the administrator, as examples/store/slapd.conf does";

/* Calls for every entry that the search finds. */
static enum apw_ldap_result relay_all(struct apw_directory *directory,
                                      const struct apw_query *query, struct relay *relay,
                                      struct apw_error *error)
{
    struct apw_error detail = {""};
    enum apw_ldap_result result;

    relay->result = APW_MANAGE_DONE;
    relay->error = &detail;
    result = apw_directory_search_each(directory, query, APW_DIRECTORY_PAGE_MS, relay_entry, relay,
                                       error);
    if (result == APW_LDAP_OK && relay->result == APW_MANAGE_DONE && relay->without_id > 0) {
        relay->result = APW_MANAGE_CONFIGURATION;
        detail = relay->first_id;
        if (relay->without_id > 1)
            apw_error_set(&detail, "%s; so do %zu others", detail.text, relay->without_id - 1);
    }
    if (result == APW_LDAP_OK && relay->result != APW_MANAGE_DONE)
        *error = detail;
    return result;
}

/* "(&users filter)", or a copy of the filter if every entry may be a user; NULL without memory. */
static char *limit_to_users(const struct apw_config *config, const char *filter)
{
    const char *users = apw_directory_traits(config->directory)->user_filter;
    char *limited;

    if (users == NULL)
        return strdup(filter);
    return asprintf(&limited, "(&%s%s)", users, filter) >= 0 ? limited : NULL;
}

enum apw_manage_result apw_user_each(const struct apw_manager *manager, const char *filter,
                                     apw_user_callback callback, void *context,
                                     struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    struct relay relay = {
        .manager = manager, .read = read_entry, .callback = callback, .context = context};
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    char *limited = limit_to_users(config, filter);
    const struct apw_query query = {.base = config->base,
                                    .scope = config->scope,
                                    .filter = limited,
                                    .attributes = wanted,
                                    .limit_advice =
                                        apw_config_has_store(config) ? limit_of_users : NULL};
    enum apw_ldap_result result;

    if (limited == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    apw_user_list_attributes(manager->config, manager->with_enrolment, manager->also, wanted);
    result = relay_all(manager->directory, &query, &relay, error);
    free(limited);
    return result == APW_LDAP_OK ? relay.result : explain(result, config, error);
}

/* Whether the entry that was found by an id shows that id, and no other. */
static enum apw_manage_result check_id(const struct apw_config *config,
                                       const struct apw_entry *entry, const char *id,
                                       struct apw_error *error)
{
    char shown[APW_STORE_ID_SIZE];

    if (apw_store_read_id(config, entry, shown, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    if (strcmp(shown, id) == 0)
        return APW_MANAGE_DONE;
    apw_error_set(error, "asked for the %s %s, the directory answered with %s, which has %s",
                  config->store.id_attribute->name, id, entry->dn, shown);
    return APW_MANAGE_CONFIGURATION;
}

/* Finds the own entry of the user with that id; NULL if nobody has it. */
static enum apw_manage_result search_id(const struct apw_manager *manager, const char *id,
                                        struct apw_entry **entry_r, struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    char *filter = apw_store_user_filter(config, id);
    const struct apw_query query = {.base = config->base,
                                    .scope = config->scope,
                                    .filter = filter,
                                    .attributes = wanted,
                                    .limit = 2};
    enum apw_ldap_result result;

    if (filter == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    apw_user_list_attributes(config, manager->with_enrolment, manager->also, wanted);
    result = apw_directory_search(manager->directory, &query, apw_user_deadline(manager), entry_r,
                                  error);
    free(filter);
    if (result != APW_LDAP_OK)
        return explain(result, config, error);
    if (*entry_r == NULL)
        return APW_MANAGE_DONE;
    if ((*entry_r)->next == NULL)
        return check_id(config, *entry_r, id, error);
    apw_error_set(error, "%s and %s have the same %s %s", (*entry_r)->dn, (*entry_r)->next->dn,
                  config->store.id_attribute->name, id);
    return APW_MANAGE_REFUSED;
}

/* Reads an entry of the store as the user to whom it belongs. */
static enum apw_manage_result read_stored(const struct apw_manager *manager,
                                          const struct apw_entry *stored, struct apw_user **user_r,
                                          struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    char id[APW_STORE_ID_SIZE];
    struct apw_entry *entry = NULL;
    enum apw_manage_result result = APW_MANAGE_DONE;

    *user_r = NULL;
    if (apw_store_read_owner(config, stored, id) == 0)
        result = search_id(manager, id, &entry, error);
    if (result == APW_MANAGE_DONE)
        *user_r = entry != NULL ? apw_user_read(config, manager->also, entry, stored, error)
                                : apw_user_read_orphan(config, stored, error);
    apw_entries_free(&entry);
    if (result != APW_MANAGE_DONE)
        return result;
    return *user_r != NULL ? APW_MANAGE_DONE : APW_MANAGE_UNAVAILABLE;
}

enum apw_manage_result apw_user_each_holder(const struct apw_manager *manager, const char *filter,
                                            apw_user_callback callback, void *context,
                                            struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    struct relay relay = {
        .manager = manager, .read = read_stored, .callback = callback, .context = context};
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    const struct apw_query query = {.base = config->store.base,
                                    .scope = APW_SCOPE_ONE,
                                    .filter = filter,
                                    .attributes = wanted,
                                    .limit_advice = limit_of_store};
    enum apw_ldap_result result;

    if (!apw_config_has_store(config))
        return apw_user_each(manager, filter, callback, context, error);
    apw_user_list_stored(manager->with_enrolment, wanted);
    result = relay_all(manager->store, &query, &relay, error);
    return result == APW_LDAP_OK ? relay.result : explain_store(result, config, error);
}

enum apw_manage_result apw_user_mfa(const struct apw_manager *manager, const struct apw_user *user,
                                    enum apw_mfa *mfa_r, struct apw_error *error)
{
    struct apw_world world = apw_world_of(manager->directory);
    struct apw_world store = apw_world_of(manager->store);
    const struct apw_mfa_subject subject = {
        .dn = user->dn,
        .id = user->unique_id,
        .stored_dn = user->has_holder ? user->holder_dn : NULL,
    };

    world.store = &store;
    *mfa_r =
        apw_mfa_read(&world, manager->config, &subject, false, apw_user_deadline(manager), error);
    switch (*mfa_r) {
    case APW_MFA_ON:
    case APW_MFA_OFF:
        return APW_MANAGE_DONE;
    case APW_MFA_UNREADABLE:
        return APW_MANAGE_NOT_PERMITTED;
    case APW_MFA_UNAVAILABLE:
        break;
    }
    return APW_MANAGE_UNAVAILABLE;
}
