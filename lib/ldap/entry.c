/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/entry.h"
#include <ldap.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void free_values(struct apw_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].bytes != NULL)
            sodium_memzero(values[i].bytes, values[i].length);
        free(values[i].bytes);
    }
    free(values);
}

static void free_attribute(struct apw_attribute *attribute)
{
    free_values(attribute->value, attribute->count);
    free(attribute->name);
}

void apw_entries_free(struct apw_entry **entries)
{
    while (*entries != NULL) {
        struct apw_entry *entry = *entries;

        *entries = entry->next;
        for (size_t i = 0; i < entry->attribute_count; i++)
            free_attribute(&entry->attribute[i]);
        free(entry->attribute);
        free(entry->dn);
        free(entry);
    }
}

const struct apw_attribute *apw_entry_attribute(const struct apw_entry *entry, const char *name)
{
    for (size_t i = 0; entry != NULL && i < entry->attribute_count; i++)
        if (!entry->attribute[i].has_options && strcasecmp(entry->attribute[i].name, name) == 0)
            return &entry->attribute[i];
    return NULL;
}

static int read_values(const struct berval *values, struct apw_attribute *attribute)
{
    size_t count = 0;

    while (values != NULL && values[count].bv_val != NULL)
        count++;
    if (count == 0)
        return 0;
    attribute->value = calloc(count, sizeof *attribute->value);
    if (attribute->value == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct apw_value value = {.bytes = values[i].bv_val, .length = values[i].bv_len};

        if (apw_entry_copy_value(&value, &attribute->value[i]) != 0)
            return -1;
        attribute->count++;
    }
    return 0;
}

/* NULL for a text with a NUL, or without memory. */
static char *copy_text(const char *bytes, size_t length)
{
    return memchr(bytes, '\0', length) == NULL ? strndup(bytes, length) : NULL;
}

static int read_attribute(const struct berval *description, const struct berval *values,
                          struct apw_entry *entry)
{
    const char *options = memchr(description->bv_val, ';', description->bv_len);
    struct apw_attribute *grown =
        realloc(entry->attribute, (entry->attribute_count + 1) * sizeof *grown);
    struct apw_attribute *attribute;

    if (grown == NULL)
        return -1;
    entry->attribute = grown;
    attribute = &grown[entry->attribute_count++];
    *attribute = (struct apw_attribute){.has_options = options != NULL};
    attribute->name =
        copy_text(description->bv_val,
                  options != NULL ? (size_t)(options - description->bv_val) : description->bv_len);
    return attribute->name == NULL ? -1 : read_values(values, attribute);
}

static int read_entry(LDAP *ld, LDAPMessage *message, struct apw_entry *entry)
{
    struct berval dn, description;
    BerVarray values = NULL;
    BerElement *position = NULL;
    int status = -1;

    if (ldap_get_dn_ber(ld, message, &position, &dn) != LDAP_SUCCESS)
        goto out;
    entry->dn = copy_text(dn.bv_val, dn.bv_len);
    status = entry->dn == NULL ? -1 : 0;
    while (status == 0) {
        if (ldap_get_attribute_ber(ld, message, position, &description, &values) != LDAP_SUCCESS)
            status = -1;
        else if (description.bv_val == NULL)
            break;
        else
            status = read_attribute(&description, values, entry);
        ber_memfree(values);
        values = NULL;
    }
out:
    ber_free(position, 0);
    return status;
}

struct apw_entry *apw_entry_read(LDAP *ld, LDAPMessage *message)
{
    struct apw_entry *entry = calloc(1, sizeof *entry);

    if (entry != NULL && read_entry(ld, message, entry) != 0)
        apw_entries_free(&entry);
    return entry;
}

int apw_entry_copy_value(const struct apw_value *value, struct apw_value *copy_r)
{
    copy_r->bytes = malloc(value->length + 1);
    if (copy_r->bytes == NULL)
        return -1;
    memcpy(copy_r->bytes, value->bytes, value->length);
    copy_r->bytes[value->length] = '\0';
    copy_r->length = value->length;
    return 0;
}

bool apw_entry_has_value(const struct apw_entry *entry, const char *name, const char *value)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    for (size_t i = 0; found != NULL && i < found->count; i++)
        if (found->value[i].length == strlen(value) &&
            strcasecmp(found->value[i].bytes, value) == 0)
            return true;
    return false;
}

char *apw_entry_copy_first(const struct apw_entry *entry, const char *name, const char *otherwise)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    return strdup(found != NULL && found->count > 0 ? found->value[0].bytes : otherwise);
}

int apw_entry_copy_values(const struct apw_entry *entry, const char *name,
                          struct apw_values *values_r)
{
    const struct apw_attribute *attribute = apw_entry_attribute(entry, name);

    if (attribute == NULL || attribute->count == 0)
        return 0;
    values_r->value = calloc(attribute->count, sizeof *values_r->value);
    if (values_r->value == NULL)
        return -1;
    for (size_t i = 0; i < attribute->count; i++) {
        if (apw_entry_copy_value(&attribute->value[i], &values_r->value[i]) != 0)
            return -1;
        values_r->count++;
    }
    return 0;
}

void apw_entry_free_values(struct apw_values *values)
{
    free_values(values->value, values->count);
    *values = (struct apw_values){.count = 0};
}
