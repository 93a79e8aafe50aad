/* SPDX-License-Identifier: BSD-2-Clause */
#include "rights.h"
#include "ldap/filter.h"
#include "ldap/search.h"
#include <stdlib.h>
#include <string.h>

enum standing {
    STANDING_UNKNOWN = 0,
    STANDING_ADMINISTRATOR, /* as far as the question goes */
    STANDING_OUTSIDER,
};

static struct apw_directory *holder_of(const struct apw_manager *manager)
{
    return manager->store != NULL ? manager->store : manager->directory;
}

/* Reads one entry, or NULL. The caller frees it. */
static struct apw_entry *read_one(const struct apw_manager *manager, const char *dn,
                                  const char *filter, const char *const *attributes)
{
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = filter,
                                    .attributes = attributes,
                                    .limit = 1};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};

    if (apw_directory_search(holder_of(manager), &query, apw_user_deadline(manager), &entry,
                             &error) != APW_LDAP_OK)
        apw_entries_free(&entry);
    return entry;
}

/* Whether the values are there, and none of them defines appPassword (RFC 4512, 4.1.2). */
static bool lacks_definition(const struct apw_attribute *types)
{
    for (size_t i = 0; types != NULL && i < types->count; i++)
        if (strstr(types->value[i].bytes, "'appPassword'") != NULL)
            return false;
    return types != NULL;
}

/* Whether the directory shows its schema (RFC 4512, 4.4), and appPassword is not in it. */
static bool lacks_schema(const struct apw_manager *manager)
{
    static const char *const where[] = {"subschemaSubentry", NULL};
    static const char *const what[] = {"attributeTypes", NULL};
    struct apw_entry *root = read_one(manager, "", "(objectClass=*)", where), *schema = NULL;
    const struct apw_attribute *subentry =
        root == NULL ? NULL : apw_entry_attribute(root, where[0]);
    bool lacks;

    if (subentry != NULL && subentry->count > 0)
        schema = read_one(manager, subentry->value[0].bytes, "(objectClass=subschema)", what);
    lacks = schema != NULL && lacks_definition(apw_entry_attribute(schema, what[0]));
    apw_entries_free(&root);
    apw_entries_free(&schema);
    return lacks;
}

/* Active Directory tells which attributes this identity may write (MS-ADTS, 3.1.1.4.5.22), but not
 * whether it hides one. */
static enum standing ask_active_directory(const struct apw_manager *manager, const char *dn)
{
    static const char *const wanted[] = {"allowedAttributesEffective", NULL};
    struct apw_entry *entry = read_one(manager, dn, "(objectClass=*)", wanted);
    enum standing standing = entry == NULL ? STANDING_UNKNOWN
                             : apw_entry_has_value(entry, wanted[0], "appPassword")
                                 ? STANDING_ADMINISTRATOR
                                 : STANDING_OUTSIDER;

    apw_entries_free(&entry);
    return standing;
}

/* A filter about an attribute that may not be searched is neither true nor false. */
static enum standing ask_ldap(const struct apw_manager *manager, const char *dn)
{
    struct apw_entry *entry =
        read_one(manager, dn, "(|(appPassword=*)(!(appPassword=*)))", apw_search_no_attributes);
    enum standing standing = STANDING_ADMINISTRATOR;

    if (entry == NULL) {
        entry = read_one(manager, dn, "(objectClass=*)", apw_search_no_attributes);
        standing = entry == NULL ? STANDING_UNKNOWN : STANDING_OUTSIDER;
    }
    apw_entries_free(&entry);
    return standing;
}

static enum apw_manage_result describe_schema(struct apw_error *error)
{
    apw_error_set(error, "the directory does not know appPassword: its administrator must load the "
                         "schema (MAIL ADMINISTRATORS in app-password(1))");
    return APW_MANAGE_CONFIGURATION;
}

/* Whether the directory refuses our own bind; *error then says why. */
static bool is_bind_refused(const struct apw_manager *manager, struct apw_error *error)
{
    struct apw_error refusal = {""};
    char *name = NULL;
    enum apw_ldap_result result =
        apw_directory_whoami(holder_of(manager), apw_user_deadline(manager), &name, &refusal);

    free(name);
    if (result == APW_LDAP_NOT_PERMITTED)
        *error = refusal;
    return result == APW_LDAP_NOT_PERMITTED;
}

enum apw_manage_result apw_rights_check_bind(const struct apw_manager *manager,
                                             struct apw_error *error)
{
    const struct apw_identity *identity = manager->explained;

    if (identity == NULL || identity->method != APW_BIND_SIMPLE || !is_bind_refused(manager, error))
        return APW_MANAGE_DONE;
    return APW_MANAGE_NOT_PERMITTED;
}

/* The DN, or for another method whom the directory takes us for, if it tells. The caller frees it.
 */
static char *find_name(const struct apw_manager *manager)
{
    const struct apw_identity *identity = manager->explained;
    struct apw_error unused = {""};
    char *name = NULL;

    if (identity->method != APW_BIND_SIMPLE)
        apw_directory_whoami(holder_of(manager), apw_user_deadline(manager), &name, &unused);
    return name != NULL ? name : strdup(apw_identity_name(identity));
}

/* `detail` is what the directory said. Leaves the error alone if it has refused our own bind. */
static enum apw_manage_result describe_rights(const struct apw_manager *manager,
                                              const struct apw_user *user, const char *what,
                                              const char *detail, struct apw_error *error)
{
    struct apw_error refusal = {""};
    char *name;

    if (is_bind_refused(manager, &refusal))
        return APW_MANAGE_NOT_PERMITTED;
    name = find_name(manager);
    apw_error_set(error,
                  "you are not a mail administrator for this user: %s may not %s app passwords and "
                  "MFA of %s (MAIL ADMINISTRATORS in app-password(1))%s%s",
                  name == NULL ? "this identity" : name, what, user->holder_dn,
                  *detail == '\0' ? "" : ": ", detail);
    free(name);
    return APW_MANAGE_NOT_PERMITTED;
}

enum apw_manage_result apw_rights_explain(const struct apw_manager *manager,
                                          const struct apw_user *user,
                                          enum apw_manage_result result, struct apw_error *error)
{
    struct apw_error detail = *error;

    if (manager->explained == NULL ||
        (result != APW_MANAGE_NOT_PERMITTED && result != APW_MANAGE_REFUSED))
        return result;
    if (lacks_schema(manager))
        return describe_schema(error);
    return result == APW_MANAGE_NOT_PERMITTED
               ? describe_rights(manager, user, "change", detail.text, error)
               : result;
}

static bool shows_ours(const struct apw_user *user)
{
    return user->password_count > 0 || user->tombstone_count > 0 || user->use_count > 0 ||
           user->mfa_flag != APW_MFA_FLAG_ABSENT || user->has_enforce_from ||
           user->method.count > 0;
}

enum apw_manage_result apw_rights_check(const struct apw_manager *manager,
                                        const struct apw_user *user, struct apw_error *error)
{
    bool is_ad = apw_config_holder(manager->config) == APW_DIRECTORY_ACTIVE_DIRECTORY;

    if (manager->explained == NULL || !user->has_holder || shows_ours(user))
        return APW_MANAGE_DONE;
    switch (is_ad ? ask_active_directory(manager, user->holder_dn)
                  : ask_ldap(manager, user->holder_dn)) {
    case STANDING_UNKNOWN:
    case STANDING_ADMINISTRATOR:
        return APW_MANAGE_DONE;
    case STANDING_OUTSIDER:
        break;
    }
    if (lacks_schema(manager))
        return describe_schema(error);
    return describe_rights(manager, user, is_ad ? "change, and perhaps not read," : "read", "",
                           error);
}

enum apw_manage_result apw_rights_check_after(const struct apw_manager *manager,
                                              const struct apw_user *user,
                                              enum apw_manage_result result,
                                              struct apw_error *error)
{
    enum apw_manage_result checked = apw_rights_check(manager, user, error);

    return checked == APW_MANAGE_DONE ? result : checked;
}

/* The first user, and what is known then. */
struct first {
    const struct apw_manager *manager;
    enum apw_manage_result result;
    struct apw_error *error;
};

static int check_first(void *context, const struct apw_user *user)
{
    struct first *first = context;

    first->result = apw_rights_check(first->manager, user, first->error);
    return -1; /* ends the search */
}

enum apw_manage_result apw_rights_check_any(const struct apw_manager *manager,
                                            struct apw_error *error)
{
    struct first first = {.manager = manager, .result = APW_MANAGE_DONE, .error = error};
    char *filter = apw_filter_expand_any(manager->config->filter);
    struct apw_error unused = {""};

    if (manager->explained != NULL && filter != NULL)
        apw_user_each(manager, filter, check_first, &first, &unused);
    free(filter);
    return first.result;
}
