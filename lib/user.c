/* SPDX-License-Identifier: BSD-2-Clause */
#include "user.h"
#include "clock.h"
#include "ldap/filter.h"
#include "login.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t apw_user_deadline(const struct apw_manager *manager)
{
    return apw_clock_monotonic_ms() + manager->config->deadline_ms;
}

/* Explains a failed search. */
static enum apw_manage_result explain(enum apw_ldap_result result, const struct apw_config *config,
                                      struct apw_error *error)
{
    switch (result) {
    case APW_LDAP_NO_SUCH_OBJECT:
        apw_error_set(error,
                      "base \"%s\" of %s: it does not exist, or this identity may not read it",
                      config->base, config->path);
        return APW_MANAGE_CONFIGURATION;
    case APW_LDAP_NOT_PERMITTED:
        return APW_MANAGE_NOT_PERMITTED;
    case APW_LDAP_REFUSED:
        return APW_MANAGE_REFUSED;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_CONFLICT:
    case APW_LDAP_READ_ONLY:
    case APW_LDAP_OK:
        break;
    }
    return APW_MANAGE_UNAVAILABLE;
}

static enum apw_manage_result read_entry(const struct apw_manager *manager,
                                         const struct apw_entry *entry, struct apw_user **user_r,
                                         struct apw_error *error)
{
    *user_r = apw_user_read(manager->config, manager->also, entry);
    if (*user_r != NULL)
        return APW_MANAGE_DONE;
    apw_error_set(error, "out of memory");
    return APW_MANAGE_UNAVAILABLE;
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

/* Passes each entry on as a user. */
struct relay {
    const struct apw_manager *manager;
    apw_user_callback callback;
    void *context;
    enum apw_manage_result result; /* DONE unless an entry could not be read */
    struct apw_error *error;
};

static int relay_entry(void *context, const struct apw_entry *entry)
{
    struct relay *relay = context;
    struct apw_user *user = NULL;
    int status;

    relay->result = read_entry(relay->manager, entry, &user, relay->error);
    if (relay->result != APW_MANAGE_DONE)
        return -1;
    status = relay->callback(relay->context, user);
    apw_user_free(&user);
    return status;
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
    struct apw_error detail = {""};
    struct relay relay = {.manager = manager,
                          .callback = callback,
                          .context = context,
                          .result = APW_MANAGE_DONE,
                          .error = &detail};
    const char *wanted[APW_USER_ATTRIBUTES_SIZE];
    char *limited = limit_to_users(config, filter);
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = limited, .attributes = wanted};
    enum apw_ldap_result result;

    if (limited == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    apw_user_list_attributes(manager->config, manager->with_enrolment, manager->also, wanted);
    result = apw_directory_search_each(manager->directory, &query, config->deadline_ms, relay_entry,
                                       &relay, error);
    free(limited);
    if (result != APW_LDAP_OK)
        return explain(result, config, error);
    if (relay.result != APW_MANAGE_DONE)
        *error = detail;
    return relay.result;
}

enum apw_manage_result apw_user_mfa(const struct apw_manager *manager, const struct apw_user *user,
                                    enum apw_mfa *mfa_r, struct apw_error *error)
{
    struct apw_world world = apw_world_of(manager->directory);

    *mfa_r =
        apw_mfa_read(&world, manager->config, user->dn, false, apw_user_deadline(manager), error);
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
