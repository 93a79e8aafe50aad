/* SPDX-License-Identifier: BSD-2-Clause */
#include "name.h"
#include "idna.h"
#include "ldap/filter.h"
#include "utf8.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ASCII only, whatever the locale. */
static bool is_same_name(const struct apw_value *value, const char *login)
{
    if (value->length != strlen(login))
        return false;
    for (size_t i = 0; i < value->length; i++)
        if (apw_utf8_lower(value->bytes[i]) != apw_utf8_lower(login[i]))
            return false;
    return true;
}

/* The only value that is this name; otherwise NULL. */
static const struct apw_value *find_value(const struct apw_attribute *attribute, const char *name)
{
    const struct apw_value *found = NULL;

    for (size_t i = 0; i < attribute->count; i++) {
        if (!is_same_name(&attribute->value[i], name))
            continue;
        if (found != NULL)
            return NULL;
        found = &attribute->value[i];
    }
    return found;
}

/* The only value, or the one that was typed, in this form or else in `ascii`; otherwise NULL. */
static const struct apw_value *choose_value(const struct apw_attribute *attribute,
                                            const char *login, const char *ascii)
{
    const struct apw_value *typed;

    if (attribute == NULL || attribute->count == 0)
        return NULL;
    if (attribute->count == 1)
        return &attribute->value[0];
    typed = find_value(attribute, login);
    return typed != NULL || ascii == NULL ? typed : find_value(attribute, ascii);
}

enum apw_name_result apw_name_choose(const struct apw_config *config, const struct apw_entry *entry,
                                     const char *login, char name_r[APW_LOGIN_SIZE],
                                     struct apw_error *error)
{
    const struct apw_attribute *attribute;
    const struct apw_value *value;
    char *ascii;

    memset(name_r, 0, APW_LOGIN_SIZE);
    if (config->login_attribute == NULL) {
        memcpy(name_r, login, strlen(login));
        return APW_NAME_UNIQUE;
    }
    attribute = apw_entry_attribute(entry, config->login_attribute);
    if (apw_idna_login(login, &ascii) != 0) {
        apw_error_set(error, "out of memory");
        return APW_NAME_UNAVAILABLE;
    }
    value = choose_value(attribute, login, ascii);
    free(ascii);
    if (value == NULL && attribute != NULL && attribute->count > 1)
        apw_error_set(error,
                      "login_attribute %s has %zu values here, and what was typed is not "
                      "exactly one of them",
                      config->login_attribute, attribute->count);
    else if (value == NULL)
        apw_error_set(error, "login_attribute %s has no value here that the mail server may read",
                      config->login_attribute);
    else if (!apw_login_is_wellformed(value->bytes, value->length))
        apw_error_set(error, "the value of login_attribute %s is not a name",
                      config->login_attribute);
    else {
        memcpy(name_r, value->bytes, value->length);
        return APW_NAME_UNIQUE;
    }
    return APW_NAME_MISSING;
}

/* Explains unless these are the one entry `dn`. */
static enum apw_name_result judge(const struct apw_entry *entries, const char *dn, const char *name,
                                  struct apw_error *error)
{
    const struct apw_entry *other;

    if (entries == NULL) {
        apw_error_set(error, "filter finds no entry by the accepted name \"%s\"", name);
        return APW_NAME_AMBIGUOUS;
    }
    other = strcasecmp(entries->dn, dn) == 0 ? entries->next : entries;
    if (other == NULL)
        return APW_NAME_UNIQUE;
    apw_error_set(error, "filter finds another entry by the accepted name \"%s\": %s", name,
                  other->dn);
    return APW_NAME_AMBIGUOUS;
}

enum apw_name_result apw_name_check(const struct apw_world *world, const struct apw_config *config,
                                    const char *dn, const char *name, int64_t deadline,
                                    struct apw_error *error)
{
    const char *const parts[] = {dn, name, NULL};
    enum apw_name_result result = APW_NAME_UNAVAILABLE;
    struct apw_entry *entries = NULL;
    struct apw_query query = {.base = config->base,
                              .scope = config->scope,
                              .attributes = apw_search_no_attributes,
                              .limit = 2};
    char *filter;

    if (world->names != NULL && apw_tags_have(world->names, parts))
        return APW_NAME_UNIQUE;
    filter = apw_filter_expand(config->filter, name);
    if (filter == NULL) {
        apw_error_set(error, "out of memory");
        return APW_NAME_UNAVAILABLE;
    }
    query.filter = filter;
    if (world->search(world->context, &query, deadline, &entries, error) == APW_LDAP_OK)
        result = judge(entries, dn, name, error);
    if (result == APW_NAME_UNIQUE && world->names != NULL)
        apw_tags_add(world->names, parts);
    apw_entries_free(&entries);
    free(filter);
    return result;
}
