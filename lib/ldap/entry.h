/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry: entries, attributes and values, copied out of libldap's messages.
 *
 * Everything is owned by the list of entries and wiped when it is freed.
 */
#ifndef APW_ENTRY_H
#define APW_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

struct ldap;
struct ldapmsg;

struct apw_value {
    char *bytes; /* followed by a NUL that does not count */
    size_t length;
};

/* Owned: apw_entry_free_values(). */
struct apw_values {
    size_t count;
    struct apw_value *value;
};

struct apw_attribute {
    char *name; /* description without options */
    bool has_options;
    size_t count;
    struct apw_value *value;
};

struct apw_entry {
    char *dn;
    size_t attribute_count;
    struct apw_attribute *attribute;
    struct apw_entry *next;
};

/* Copies the entry of a search result; NULL if it cannot be read whole, or without memory: the
 * attribute that cannot be read may be the one that would refuse the login. The types are libldap's
 * LDAP and LDAPMessage. */
struct apw_entry *apw_entry_read(struct ldap *ld, struct ldapmsg *message);

void apw_entries_free(struct apw_entry **entries); /* wipes; takes NULL */

/* The attribute of that name without options, or NULL. Borrowed. Without an entry (NULL) there is
 * none. */
const struct apw_attribute *apw_entry_attribute(const struct apw_entry *entry, const char *name);

/* Whether that attribute has the value, in upper or lower case. */
bool apw_entry_has_value(const struct apw_entry *entry, const char *name, const char *value);

/* A copy of the first value of that attribute, or of `otherwise`; NULL without memory. */
char *apw_entry_copy_first(const struct apw_entry *entry, const char *name, const char *otherwise);

/* Copies the values of that attribute; none if it is absent. */
int apw_entry_copy_values(const struct apw_entry *entry, const char *name,
                          struct apw_values *values_r);
int apw_entry_copy_value(const struct apw_value *value, struct apw_value *copy_r);
void apw_entry_free_values(struct apw_values *values); /* wipes */

#endif
