/* SPDX-License-Identifier: BSD-2-Clause */
#include "user.h"
#include "clock.h"
#include "ldap/filter.h"
#include "login.h"
#include "use.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const attributes[] = {
    "objectClass",
    "appPassword",
    "appPasswordUsed",
    "appPasswordMfaEnabled",
    "appPasswordMfaEnforceFrom",
};
#define ATTRIBUTE_COUNT (sizeof attributes / sizeof attributes[0])

static const char *const enrolment_attributes[] = {
    "appPasswordMfaMethod",
    "nsUniqueId", /* on 389 Directory Server */
    "entryUUID",  /* RFC 4530 */
    "mail",
};
#define ENROLMENT_COUNT (sizeof enrolment_attributes / sizeof enrolment_attributes[0])
#define WANTED_SIZE     (ATTRIBUTE_COUNT + APW_ACCOUNT_STATE_ATTRIBUTES + ENROLMENT_COUNT + 3)

/* The class, by name and by OID. */
static const char *const class_names[] = {
    "appPasswordAccount",
    "2.25.141699905820307496210288608633455437436.2.1",
};

int64_t apw_user_deadline(const struct apw_manager *manager)
{
    return apw_clock_monotonic_ms() + manager->config->deadline_ms;
}

/* The attribute with the name that people use. */
static const char *name_attribute(const struct apw_config *config)
{
    return config->login_attribute != NULL ? config->login_attribute : "uid";
}

static bool has_value(const struct apw_attribute *attribute, const char *wanted)
{
    for (size_t i = 0; attribute != NULL && i < attribute->count; i++)
        if (attribute->value[i].length == strlen(wanted) &&
            strcasecmp(attribute->value[i].bytes, wanted) == 0)
            return true;
    return false;
}

static bool read_has_class(const struct apw_entry *entry)
{
    const struct apw_attribute *classes = apw_entry_attribute(entry, "objectClass");

    return classes == NULL || has_value(classes, class_names[0]) ||
           has_value(classes, class_names[1]);
}

static enum apw_mfa_flag read_mfa_flag(const struct apw_entry *entry)
{
    const struct apw_attribute *flag = apw_entry_attribute(entry, "appPasswordMfaEnabled");

    if (flag == NULL || flag->count == 0)
        return APW_MFA_FLAG_ABSENT;
    return has_value(flag, "TRUE") ? APW_MFA_FLAG_TRUE : APW_MFA_FLAG_FALSE;
}

static void read_enforce_from(const struct apw_entry *entry, struct apw_user *user)
{
    const struct apw_attribute *from = apw_entry_attribute(entry, "appPasswordMfaEnforceFrom");

    user->has_enforce_from = from != NULL && from->count > 0;
    user->is_enforce_from_readable =
        user->has_enforce_from && from->count == 1 &&
        apw_clock_parse_generalized_time(from->value[0].bytes, from->value[0].length,
                                         &user->enforce_from) == 0;
}

static int read_uses(const struct apw_entry *entry, struct apw_user *user)
{
    const struct apw_attribute *used = apw_entry_attribute(entry, "appPasswordUsed");

    if (used == NULL || used->count == 0)
        return 0;
    user->use = calloc(used->count, sizeof *user->use);
    if (user->use == NULL)
        return -1;
    for (size_t i = 0; i < used->count; i++) {
        const struct apw_value *value = &used->value[i];
        struct apw_use *use = &user->use[user->use_count];

        if (apw_use_parse(value->bytes, value->length, use) == 0) {
            user->use_count++;
        } else if (apw_record_parse_id(value->bytes, value->length, use->id) == 0) {
            use->at = INT64_MIN;
            user->use_count++;
        }
    }
    return 0;
}

static void find_newest_use(const struct apw_user *user, struct apw_managed_password *password)
{
    for (size_t i = 0; i < user->use_count; i++) {
        const struct apw_use *use = &user->use[i];

        if (use->at == INT64_MIN || strcmp(use->id, password->id) != 0)
            continue;
        if (!password->has_use || use->at > password->use.at)
            password->use = *use;
        password->has_use = true;
    }
}

static int read_password(const struct apw_config *config, const struct apw_value *value,
                         struct apw_managed_password *password)
{
    const struct apw_hash_cost cap = apw_hash_cap(config->hash_memory_mib, config->hash_passes);
    struct apw_value copy;

    if (apw_entry_copy_value(value, &copy) != 0)
        return -1;
    password->value = copy.bytes;
    password->length = copy.length;
    if (apw_record_parse_id(value->bytes, value->length, password->id) != 0)
        password->id[0] = '\0';
    password->has_record =
        apw_record_parse(value->bytes, value->length, &password->record, &password->problem) == 0;
    password->is_usable = password->has_record &&
                          apw_hash_check(password->record.hash, &cap, &password->problem) == 0;
    password->cost = apw_hash_cost_of(password->record.hash);
    password->is_costly =
        apw_hash_is_costly(&password->cost, config->hash_memory_mib, config->hash_passes);
    return 0;
}

static void mark_repeated_ids(struct apw_user *user)
{
    for (size_t i = 0; i < user->password_count; i++)
        for (size_t j = 0; j < user->password_count; j++) {
            struct apw_managed_password *one = &user->password[i];

            if (i == j || one->id[0] == '\0' || strcmp(one->id, user->password[j].id) != 0)
                continue;
            one->is_usable = false;
            apw_error_set(&one->problem, "another value has the same id");
        }
}

static void mark_revoked_ids(struct apw_user *user)
{
    for (size_t i = 0; i < user->password_count; i++) {
        struct apw_managed_password *one = &user->password[i];

        if (!apw_user_has_tombstone(user, one->id))
            continue;
        one->is_usable = false;
        apw_error_set(&one->problem, "its id was revoked");
    }
}

/* Usable before unusable, then by creation, then by id. */
static int compare_passwords(const void *left_item, const void *right_item)
{
    const struct apw_managed_password *left = left_item, *right = right_item;

    if (left->is_usable != right->is_usable)
        return left->is_usable ? -1 : 1;
    if (left->record.created != right->record.created)
        return left->record.created < right->record.created ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* The newest first. */
static int compare_tombstones(const void *left_item, const void *right_item)
{
    const struct apw_tombstone *left = left_item, *right = right_item;

    if (left->revoked != right->revoked)
        return left->revoked > right->revoked ? -1 : 1;
    return strcmp(left->id, right->id);
}

static int read_passwords(const struct apw_config *config, const struct apw_entry *entry,
                          struct apw_user *user)
{
    const struct apw_attribute *values = apw_entry_attribute(entry, "appPassword");

    if (values == NULL || values->count == 0)
        return 0;
    user->password = calloc(values->count, sizeof *user->password);
    user->tombstone = calloc(values->count, sizeof *user->tombstone);
    if (user->password == NULL || user->tombstone == NULL)
        return -1;
    for (size_t i = 0; i < values->count; i++) {
        const struct apw_value *value = &values->value[i];
        struct apw_managed_password *password = &user->password[user->password_count];

        if (apw_tombstone_parse(value->bytes, value->length,
                                &user->tombstone[user->tombstone_count]) == 0) {
            user->tombstone_count++;
            continue;
        }
        if (read_password(config, value, password) != 0)
            return -1;
        user->password_count++;
        find_newest_use(user, password);
    }
    mark_repeated_ids(user);
    mark_revoked_ids(user);
    qsort(user->password, user->password_count, sizeof *user->password, compare_passwords);
    qsort(user->tombstone, user->tombstone_count, sizeof *user->tombstone, compare_tombstones);
    return 0;
}

/* Empty unless the manager asked for it. */
static int read_enrolment(const struct apw_entry *entry, struct apw_user *user)
{
    /* In this order: 389 Directory Server adds an entryUUID when its plugin is turned on, long
     * after values were bound to nsUniqueId, and keeps both. */
    const struct apw_attribute *id = apw_entry_attribute(entry, "nsUniqueId");

    if (id == NULL || id->count == 0)
        id = apw_entry_attribute(entry, "entryUUID");
    if (id != NULL && id->count == 1) {
        user->unique_id = strdup(id->value[0].bytes);
        if (user->unique_id == NULL)
            return -1;
    }
    return apw_entry_copy_values(entry, "mail", &user->mail) == 0 &&
                   apw_entry_copy_values(entry, "appPasswordMfaMethod", &user->method) == 0
               ? 0
               : -1;
}

static enum apw_manage_result read_entry(const struct apw_manager *manager,
                                         const struct apw_entry *entry, struct apw_user **user_r,
                                         struct apw_error *error)
{
    const struct apw_attribute *name = apw_entry_attribute(entry, name_attribute(manager->config));
    struct apw_user *user = calloc(1, sizeof *user);

    if (user == NULL)
        goto no_memory;
    user->dn = strdup(entry->dn);
    user->name = strdup(name != NULL && name->count > 0 ? name->value[0].bytes : entry->dn);
    if (user->dn == NULL || user->name == NULL || read_uses(entry, user) != 0 ||
        read_passwords(manager->config, entry, user) != 0 || read_enrolment(entry, user) != 0 ||
        (manager->also != NULL && apw_entry_copy_values(entry, manager->also, &user->also) != 0))
        goto no_memory;
    user->has_class = read_has_class(entry);
    user->account_state =
        apw_account_state_read(entry, (int64_t)time(NULL), &user->account_problem);
    user->mfa_flag = read_mfa_flag(entry);
    read_enforce_from(entry, user);
    *user_r = user;
    return APW_MANAGE_DONE;

no_memory:
    apw_user_free(&user);
    apw_error_set(error, "out of memory");
    return APW_MANAGE_UNAVAILABLE;
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

/* Lists our attributes and the one with the name. */
static void list_attributes(const struct apw_manager *manager, const char *list_r[WANTED_SIZE])
{
    size_t count = ATTRIBUTE_COUNT;

    memcpy(list_r, attributes, sizeof attributes);
    memcpy(list_r + count, apw_account_state_attributes, sizeof apw_account_state_attributes);
    count += APW_ACCOUNT_STATE_ATTRIBUTES;
    list_r[count++] = name_attribute(manager->config);
    if (manager->with_enrolment) {
        memcpy(list_r + count, enrolment_attributes, sizeof enrolment_attributes);
        count += ENROLMENT_COUNT;
    }
    if (manager->also != NULL)
        list_r[count++] = manager->also;
    list_r[count] = NULL;
}

/* Finds exactly one entry, or explains why not. */
static enum apw_manage_result search(const struct apw_manager *manager, const char *base,
                                     enum apw_scope scope, const char *filter,
                                     struct apw_entry **entries_r, struct apw_error *error)
{
    const char *wanted[WANTED_SIZE];
    const struct apw_query query = {
        .base = base, .scope = scope, .filter = filter, .attributes = wanted, .limit = 2};
    enum apw_ldap_result result;

    list_attributes(manager, wanted);
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
    const char *wanted[WANTED_SIZE];
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = filter, .attributes = wanted};
    enum apw_ldap_result result;

    list_attributes(manager, wanted);
    result = apw_directory_search_each(manager->directory, &query, config->deadline_ms, relay_entry,
                                       &relay, error);
    if (result != APW_LDAP_OK)
        return explain(result, config, error);
    if (relay.result != APW_MANAGE_DONE)
        *error = detail;
    return relay.result;
}

void apw_user_free(struct apw_user **user)
{
    if (*user == NULL)
        return;
    for (size_t i = 0; i < (*user)->password_count; i++) {
        sodium_memzero((*user)->password[i].value, (*user)->password[i].length);
        free((*user)->password[i].value);
        sodium_memzero(&(*user)->password[i], sizeof(*user)->password[i]);
    }
    free((*user)->password);
    free((*user)->tombstone);
    free((*user)->use);
    apw_entry_free_values(&(*user)->mail);
    apw_entry_free_values(&(*user)->method);
    apw_entry_free_values(&(*user)->also);
    free((*user)->unique_id);
    free((*user)->dn);
    free((*user)->name);
    free(*user);
    *user = NULL;
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

bool apw_user_has_tombstone(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->tombstone_count; i++)
        if (strcmp(user->tombstone[i].id, id) == 0)
            return true;
    return false;
}

bool apw_user_has_id(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0)
            return true;
    for (size_t i = 0; i < user->use_count; i++)
        if (strcmp(user->use[i].id, id) == 0)
            return true;
    return apw_user_has_tombstone(user, id);
}
