/* SPDX-License-Identifier: BSD-2-Clause */
#include "store.h"
#include "utf8.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char id_characters[] = "0123456789abcdefghijklmnopqrstuvwxyz-";
static const char hex_characters[] = "0123456789abcdef";

const char *const apw_store_attributes[] = {"appPassword",
                                            "appPasswordUsed",
                                            "appPasswordMfaEnabled",
                                            "appPasswordMfaEnforceFrom",
                                            "appPasswordMfaMethod",
                                            "appPasswordOwner",
                                            "appPasswordOrphanSince",
                                            NULL};

/* Copies the value as text; -1 if it cannot be an id. */
static int copy_id(const struct apw_value *value, bool is_binary, char id_r[APW_STORE_ID_SIZE])
{
    size_t length = is_binary ? 2 * value->length : value->length;

    if (length == 0 || length >= APW_STORE_ID_SIZE)
        return -1;
    if (is_binary)
        sodium_bin2hex(id_r, APW_STORE_ID_SIZE, (const unsigned char *)value->bytes, value->length);
    else
        for (size_t i = 0; i < length; i++)
            id_r[i] = apw_utf8_lower(value->bytes[i]);
    id_r[length] = '\0';
    return strspn(id_r, id_characters) == length ? 0 : -1;
}

int apw_store_read_id(const struct apw_config *config, const struct apw_entry *entry,
                      char id_r[APW_STORE_ID_SIZE], struct apw_error *error)
{
    const struct apw_id_attribute *id_attribute = config->store.id_attribute;
    const struct apw_attribute *id = apw_entry_attribute(entry, id_attribute->name);

    id_r[0] = '\0';
    if (id == NULL || id->count == 0)
        return apw_error_set(error,
                             "id_attribute %s has no value in %s, or this identity may not read it",
                             id_attribute->name, entry->dn);
    if (id->count > 1)
        return apw_error_set(error, "id_attribute %s has %zu values in %s", id_attribute->name,
                             id->count, entry->dn);
    if (copy_id(&id->value[0], id_attribute->is_binary, id_r) == 0)
        return 0;
    id_r[0] = '\0';
    return apw_error_set(error, "the value of id_attribute %s in %s is not an id",
                         id_attribute->name, entry->dn);
}

char *apw_store_dn(const struct apw_config *config, const char *id)
{
    char *dn;

    return asprintf(&dn, "appPasswordOwner=%s,%s", id, config->store.base) >= 0 ? dn : NULL;
}

void apw_store_filter(const char *id, char filter_r[APW_STORE_FILTER_SIZE])
{
    snprintf(filter_r, APW_STORE_FILTER_SIZE, "(appPasswordOwner=%s)", id);
}

/* "\0f\a1…" for "0fa1…" (RFC 4515, 3). */
static void escape_hex(const char *hex, char *escaped)
{
    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2, escaped += 3)
        memcpy(escaped, (const char[]){'\\', hex[0], hex[1]}, 3);
    *escaped = '\0';
}

bool apw_store_is_id(const struct apw_config *config, const char *id)
{
    bool is_binary = config->store.id_attribute->is_binary;
    size_t length = strlen(id);

    return length > 0 && length < APW_STORE_ID_SIZE && (!is_binary || length % 2 == 0) &&
           strspn(id, is_binary ? hex_characters : id_characters) == length;
}

int apw_store_read_owner(const struct apw_config *config, const struct apw_entry *stored,
                         char id_r[APW_STORE_ID_SIZE])
{
    const struct apw_attribute *owner = apw_entry_attribute(stored, "appPasswordOwner");

    id_r[0] = '\0';
    return owner != NULL && owner->count == 1 && copy_id(&owner->value[0], false, id_r) == 0 &&
                   apw_store_is_id(config, id_r)
               ? 0
               : -1;
}

char *apw_store_user_filter(const struct apw_config *config, const char *id)
{
    const struct apw_id_attribute *id_attribute = config->store.id_attribute;
    char escaped[2 * APW_STORE_ID_SIZE];
    char *filter;

    if (!apw_store_is_id(config, id))
        return NULL;
    if (id_attribute->is_binary)
        escape_hex(id, escaped);
    return asprintf(&filter, "(%s=%s)", id_attribute->name,
                    id_attribute->is_binary ? escaped : id) >= 0
               ? filter
               : NULL;
}

/* Whether that is the DN of the entry with this id, wherever it is. */
static bool is_dn_of(const char *dn, const char *id)
{
    static const char name[] = "appPasswordOwner=";
    size_t length = strlen(id);

    return strncasecmp(dn, name, sizeof name - 1) == 0 &&
           strncasecmp(dn + sizeof name - 1, id, length) == 0 &&
           dn[sizeof name - 1 + length] == ',';
}

/* The app passwords of another entry would open this user's mailbox. */
static enum apw_ldap_result check_found(const struct apw_entry *found, const char *id,
                                        struct apw_error *error)
{
    if (found == NULL)
        return APW_LDAP_OK;
    if (found->next != NULL)
        apw_error_set(error, "more than one entry of the store has the id %s: %s and %s", id,
                      found->dn, found->next->dn);
    else if (!is_dn_of(found->dn, id))
        apw_error_set(error, "asked for the id %s, the store answered with %s", id, found->dn);
    else
        return APW_LDAP_OK;
    return APW_LDAP_REFUSED;
}

int apw_store_set_no_base(const struct apw_config *config, struct apw_error *error)
{
    return apw_error_set(error,
                         "store_base \"%s\" does not exist, or this identity may not search it",
                         config->store.base);
}

enum apw_ldap_result apw_store_find(const struct apw_world *store, const struct apw_config *config,
                                    const char *id, const char *const *attributes, int64_t deadline,
                                    struct apw_entry **entry_r, struct apw_error *error)
{
    char filter[APW_STORE_FILTER_SIZE];
    const struct apw_query query = {.base = config->store.base,
                                    .scope = APW_SCOPE_ONE,
                                    .filter = filter,
                                    .attributes = attributes,
                                    .limit = 2};
    enum apw_ldap_result result;

    apw_store_filter(id, filter);
    *entry_r = NULL;
    result = store->search(store->context, &query, deadline, entry_r, error);
    if (result == APW_LDAP_NO_SUCH_OBJECT) {
        apw_store_set_no_base(config, error);
    } else if (result == APW_LDAP_OK) {
        result = check_found(*entry_r, id, error);
    }
    if (result != APW_LDAP_OK)
        apw_entries_free(entry_r);
    return result;
}
