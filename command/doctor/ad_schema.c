/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/ad_schema.h"
#include "doctor/dialect.h"
#include "doctor/schema.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENTIAL 128 /* of searchFlags: fCONFIDENTIAL */

/* A domain controller's schema. */
struct schema {
    const struct apw_doctor_view *view;
    const char *uri;
    struct apw_directory *directory;
    char *base;
};

/* The definition in use with that lDAPDisplayName, or NULL. The caller frees it. */
static struct apw_entry *find(const struct schema *schema, const char *name)
{
    static const char *const wanted[] = {"attributeID", "attributeSyntax", "isSingleValued",
                                         "searchFlags", "governsID",       "auxiliaryClass",
                                         NULL};
    char filter[80];
    const struct apw_query query = {.base = schema->base,
                                    .scope = APW_SCOPE_ONE,
                                    .filter = filter,
                                    .attributes = wanted,
                                    .limit = 1};
    struct apw_entry *entry;
    struct apw_error error = {""};

    snprintf(filter, sizeof filter, "(&(lDAPDisplayName=%s)(!(isDefunct=TRUE)))", name);
    apw_doctor_view_search(schema->view, schema->directory, &query, &entry, &error);
    return entry;
}

static void report_missing(const struct schema *schema, const char *name)
{
    apw_diagnosis_problem(schema->view->diagnosis, "schema", "%s: %s is not defined", schema->uri,
                          name);
    apw_doctor_dialect_fix_schema(schema->view->diagnosis, APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY);
}

static void report_other(const struct schema *schema, const char *name)
{
    apw_diagnosis_problem(schema->view->diagnosis, "schema", "%s: %s has another definition",
                          schema->uri, name);
    apw_diagnosis_fix(schema->view->diagnosis,
                      "compare it with ldap-schema/active-directory/schema.ldif; Active Directory "
                      "never forgets a definition, but it can be made defunct");
}

static bool is_confidential(const struct apw_entry *entry)
{
    const struct apw_attribute *flags = apw_entry_attribute(entry, "searchFlags");

    return flags != NULL && flags->count > 0 &&
           (strtol(flags->value[0].bytes, NULL, 10) & CONFIDENTIAL) != 0;
}

static void check_attribute(const struct schema *schema,
                            const struct apw_doctor_definition *definition)
{
    struct apw_entry *entry = find(schema, definition->name);

    if (entry == NULL) {
        report_missing(schema, definition->name);
    } else if (!apw_entry_has_value(entry, "attributeID", definition->ad_oid) ||
               !apw_entry_has_value(entry, "attributeSyntax", definition->ad_syntax) ||
               !apw_entry_has_value(entry, "isSingleValued",
                                    definition->is_single ? "TRUE" : "FALSE")) {
        report_other(schema, definition->name);
    } else if (!is_confidential(entry)) {
        apw_diagnosis_problem(schema->view->diagnosis, "schema",
                              "%s: %s is not confidential: everybody who may read all properties "
                              "of a user reads it",
                              schema->uri, definition->name);
        apw_diagnosis_fix(schema->view->diagnosis, "# %s: add %d to searchFlags", entry->dn,
                          CONFIDENTIAL);
    }
    apw_entries_free(&entry);
}

/* Every user must have the class: no entry can add it. */
static void check_class(const struct schema *schema)
{
    const char *name = apw_doctor_schema_class.name, *oid = apw_doctor_schema_class.ad_oid;
    struct apw_entry *class = find(schema, name), *user = find(schema, "user");

    if (class == NULL) {
        report_missing(schema, name);
    } else if (!apw_entry_has_value(class, "governsID", oid)) {
        report_other(schema, name);
    } else if (user != NULL && !apw_entry_has_value(user, "auxiliaryClass", name) &&
               !apw_entry_has_value(user, "auxiliaryClass", oid)) {
        apw_diagnosis_problem(schema->view->diagnosis, "schema",
                              "%s: the class user does not have the auxiliary class %s, so no user "
                              "can have app passwords",
                              schema->uri, name);
        apw_doctor_dialect_fix_schema(schema->view->diagnosis, APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY);
    }
    apw_entries_free(&class);
    apw_entries_free(&user);
}

/* The DN below which the definitions are, or NULL. The caller frees it. */
static char *find_base(const struct schema *schema, struct apw_error *error)
{
    static const char *const wanted[] = {"schemaNamingContext", NULL};
    const struct apw_attribute *found;
    struct apw_entry *root = NULL;
    char *base = NULL;

    apw_doctor_view_read(schema->view, schema->directory, "", wanted, &root, error);
    found = root == NULL ? NULL : apw_entry_attribute(root, wanted[0]);
    if (found != NULL && found->count > 0)
        base = strdup(found->value[0].bytes);
    apw_entries_free(&root);
    return base;
}

/* Without "user", which every domain has, the mail server may not read the schema. */
static bool is_readable(const struct schema *schema)
{
    struct apw_entry *user = schema->base == NULL ? NULL : find(schema, "user");
    bool is_found = user != NULL;

    apw_entries_free(&user);
    return is_found;
}

void apw_doctor_ad_schema_check(const struct apw_doctor_view *view, const char *uri,
                                struct apw_directory *directory)
{
    struct schema schema = {.view = view, .uri = uri, .directory = directory};
    unsigned before = view->diagnosis->problems;
    struct apw_error error = {""};

    schema.base = find_base(&schema, &error);
    if (!is_readable(&schema)) {
        apw_diagnosis_unknown(view->diagnosis, "schema",
                              "%s does not show the schema to the mail server: %s", uri,
                              error.text);
        apw_diagnosis_fix(view->diagnosis, "# Authenticated Users may read %s by default",
                          schema.base != NULL ? schema.base : "CN=Schema,CN=Configuration,…");
    } else {
        for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
            check_attribute(&schema, &apw_doctor_schema_attributes[i]);
        check_class(&schema);
        if (view->diagnosis->problems == before)
            apw_diagnosis_good(view->diagnosis, "schema", "%s", uri);
    }
    free(schema.base);
}
