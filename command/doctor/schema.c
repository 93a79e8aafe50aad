/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/schema.h"
#include "doctor/dialect.h"
#include "ldap/schema.h"
#include <string.h>
#include <strings.h>

#define OID              "2.25.141699905820307496210288608633455437436"
#define DIRECTORY_STRING "1.3.6.1.4.1.1466.115.121.1.15"
#define BOOLEAN          "1.3.6.1.4.1.1466.115.121.1.7"
#define GENERALIZED_TIME "1.3.6.1.4.1.1466.115.121.1.24"

/* In Active Directory; syntaxes: MS-ADTS, 3.1.1.2.2.2. */
#define AD_OID              "1.2.840.113556.1.8000.2554.27290.26815.39468.18755.43497.11275773.4253308"
#define AD_STRING           "2.5.5.12"
#define AD_BOOLEAN          "2.5.5.8"
#define AD_GENERALIZED_TIME "2.5.5.11"

const struct apw_doctor_definition apw_doctor_schema_attributes[] = {
    {"appPassword", OID ".1.1", "caseExactMatch", "2.5.13.5", DIRECTORY_STRING, AD_OID ".1.1",
     AD_STRING, false},
    {"appPasswordMfaEnabled", OID ".1.2", "booleanMatch", "2.5.13.13", BOOLEAN, AD_OID ".1.2",
     AD_BOOLEAN, true},
    {"appPasswordMfaEnforceFrom", OID ".1.3", "generalizedTimeMatch", "2.5.13.27", GENERALIZED_TIME,
     AD_OID ".1.3", AD_GENERALIZED_TIME, true},
    {"appPasswordUsed", OID ".1.4", "caseExactMatch", "2.5.13.5", DIRECTORY_STRING, AD_OID ".1.4",
     AD_STRING, false},
    {"appPasswordMfaMethod", OID ".1.5", "caseExactMatch", "2.5.13.5", DIRECTORY_STRING,
     AD_OID ".1.5", AD_STRING, false},
};
const struct apw_doctor_definition apw_doctor_schema_class = {
    .name = "appPasswordAccount", .oid = OID ".2.1", .ad_oid = AD_OID ".2.1"};

/* Only a store needs these, and it is never Active Directory. */
static const struct apw_doctor_definition of_store[] = {
    {"appPasswordOwner", OID ".1.6", "caseIgnoreMatch", "2.5.13.2", DIRECTORY_STRING, NULL, NULL,
     true},
    {"appPasswordOrphanSince", OID ".1.7", "generalizedTimeMatch", "2.5.13.27", GENERALIZED_TIME,
     NULL, NULL, true},
    {.name = "appPasswordEntry", .oid = OID ".2.2"},
};

static bool is_as_defined(const struct apw_schema_element *element,
                          const struct apw_doctor_definition *definition)
{
    if (definition->equality == NULL)
        return true;
    return (strcasecmp(element->equality, definition->equality) == 0 ||
            strcmp(element->equality, definition->equality_oid) == 0) &&
           strcmp(element->syntax, definition->syntax) == 0 &&
           element->is_single == definition->is_single;
}

/* The value with the definition's OID, parsed; NULL if the server has none. */
static const char *find_value(const struct apw_entry *subschema,
                              const struct apw_doctor_definition *definition,
                              struct apw_schema_element *element_r)
{
    bool is_class = definition->equality == NULL;
    const struct apw_attribute *values =
        apw_entry_attribute(subschema, is_class ? "objectClasses" : "attributeTypes");

    for (size_t i = 0; values != NULL && i < values->count; i++)
        if (strstr(values->value[i].bytes, definition->oid) != NULL &&
            apw_schema_parse(values->value[i].bytes, is_class, element_r) == 0 &&
            strcmp(element_r->oid, definition->oid) == 0)
            return values->value[i].bytes;
    return NULL;
}

static void check_definition(const struct apw_doctor_view *view, const char *uri,
                             struct apw_directory *directory, const struct apw_entry *subschema,
                             const struct apw_doctor_definition *definition, bool is_required)
{
    struct apw_schema_element element;
    const char *value = find_value(subschema, definition, &element);

    if (value == NULL && !is_required)
        return;
    if (value == NULL) {
        apw_diagnosis_problem(view->diagnosis, "schema", "%s: %s is not defined", uri,
                              definition->name);
        apw_doctor_dialect_fix_schema(view->diagnosis, apw_doctor_dialect_find(view, directory));
    } else if (!is_as_defined(&element, definition)) {
        apw_diagnosis_problem(view->diagnosis, "schema", "%s: %s has another definition: %s", uri,
                              definition->name, value);
        apw_diagnosis_fix(view->diagnosis, "load the definition from ldap-schema/ instead");
    }
}

/* The entry with the server's schema (RFC 4512, 4.2), or NULL. The caller frees it. */
static struct apw_entry *read_subschema(const struct apw_doctor_view *view,
                                        struct apw_directory *directory,
                                        const char *const *attributes, struct apw_error *error)
{
    static const char *const where[] = {"subschemaSubentry", NULL};
    struct apw_query query = {.scope = APW_SCOPE_BASE,
                              .filter = "(objectClass=subschema)",
                              .attributes = attributes,
                              .limit = 1};
    const struct apw_attribute *subentry;
    struct apw_entry *root = NULL, *subschema = NULL;

    apw_doctor_view_read(view, directory, "", where, &root, error);
    subentry = root == NULL ? NULL : apw_entry_attribute(root, where[0]);
    if (subentry != NULL && subentry->count > 0) {
        query.base = subentry->value[0].bytes;
        apw_doctor_view_search(view, directory, &query, &subschema, error);
    }
    apw_entries_free(&root);
    return subschema;
}

void apw_doctor_schema_check(const struct apw_doctor_view *view, const char *uri,
                             struct apw_directory *directory)
{
    static const char *const attributes[] = {"attributeTypes", "objectClasses", NULL};
    struct apw_error error = {""};
    struct apw_entry *subschema = read_subschema(view, directory, attributes, &error);
    unsigned before = view->diagnosis->problems;

    if (subschema == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "schema",
                              "%s does not show the schema to the mail server: %s", uri,
                              error.text);
        apw_diagnosis_fix(view->diagnosis,
                          "access to dn.base=\"\" by * read   # and the same for \"cn=Subschema\"");
        return;
    }
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        check_definition(view, uri, directory, subschema, &apw_doctor_schema_attributes[i], true);
    check_definition(view, uri, directory, subschema, &apw_doctor_schema_class, true);
    for (size_t i = 0; i < sizeof of_store / sizeof *of_store; i++)
        check_definition(view, uri, directory, subschema, &of_store[i],
                         apw_doctor_view_is_store(view));
    if (view->diagnosis->problems == before)
        apw_diagnosis_good(view->diagnosis, "schema", "%s", uri);
    apw_entries_free(&subschema);
}
