/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/ad_schema.h"
#include "doctor/dialect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OID "1.2.840.113556.1.8000.2554.27290.26815.39468.18755.43497.11275773.4253308"

#define CONFIDENTIAL 128 /* of searchFlags: fCONFIDENTIAL */

static const char class_name[] = "appPasswordAccount";

/* MS-ADTS, 3.1.1.2.2.2: the syntaxes. */
static const struct definition {
    const char *name, *oid, *syntax, *is_single;
} definitions[] = {
    {"appPassword", OID ".1.1", "2.5.5.12", "FALSE"},
    {"appPasswordMfaEnabled", OID ".1.2", "2.5.5.8", "TRUE"},
    {"appPasswordMfaEnforceFrom", OID ".1.3", "2.5.5.11", "TRUE"},
    {"appPasswordUsed", OID ".1.4", "2.5.5.12", "FALSE"},
    {"appPasswordMfaMethod", OID ".1.5", "2.5.5.12", "FALSE"},
};

/* A domain controller's schema. */
struct schema {
    const struct apw_doctor_view *view;
    const char *uri;
    struct apw_directory *directory;
    char *base;
};

static bool has_value(const struct apw_entry *entry, const char *name, const char *value)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    for (size_t i = 0; found != NULL && i < found->count; i++)
        if (strcasecmp(found->value[i].bytes, value) == 0)
            return true;
    return false;
}

/* The definition in use with that lDAPDisplayName, or NULL. The caller frees it. */
static struct apw_entry *find(const struct schema *schema, const char *name)
{
    static const char *const wanted[] = {
        "attributeID", "attributeSyntax", "isSingleValued",       "searchFlags",
        "governsID",   "auxiliaryClass",  "systemAuxiliaryClass", NULL};
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

static void check_attribute(const struct schema *schema, const struct definition *definition)
{
    struct apw_entry *entry = find(schema, definition->name);

    if (entry == NULL) {
        report_missing(schema, definition->name);
    } else if (!has_value(entry, "attributeID", definition->oid) ||
               !has_value(entry, "attributeSyntax", definition->syntax) ||
               !has_value(entry, "isSingleValued", definition->is_single)) {
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
    struct apw_entry *class = find(schema, class_name), *user = find(schema, "user");

    if (class == NULL) {
        report_missing(schema, class_name);
    } else if (!has_value(class, "governsID", OID ".2.1")) {
        report_other(schema, class_name);
    } else if (user != NULL && !has_value(user, "auxiliaryClass", class_name) &&
               !has_value(user, "auxiliaryClass", OID ".2.1")) {
        apw_diagnosis_problem(schema->view->diagnosis, "schema",
                              "%s: the class user does not have the auxiliary class %s, so no user "
                              "can have app passwords",
                              schema->uri, class_name);
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
        for (size_t i = 0; i < sizeof definitions / sizeof definitions[0]; i++)
            check_attribute(&schema, &definitions[i]);
        check_class(&schema);
        if (view->diagnosis->problems == before)
            apw_diagnosis_good(view->diagnosis, "schema", "%s", uri);
    }
    free(schema.base);
}
