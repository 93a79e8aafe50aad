/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/dialect.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

/* LDAP_CAP_ACTIVE_DIRECTORY_OID (MS-ADTS, 3.1.1.3.4.3.1) */
#define CAP_ACTIVE_DIRECTORY "1.2.840.113556.1.4.800"

static bool has_text(const struct apw_entry *entry, const char *name, const char *text)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    for (size_t i = 0; found != NULL && i < found->count; i++)
        if (strstr(found->value[i].bytes, text) != NULL)
            return true;
    return false;
}

enum apw_doctor_dialect apw_doctor_dialect_find(const struct apw_doctor_view *view,
                                                struct apw_directory *directory)
{
    static const char *const wanted[] = {"vendorName", "configContext", "supportedCapabilities",
                                         NULL};
    enum apw_doctor_dialect dialect = APW_DOCTOR_DIALECT_SLAPD_CONF;
    struct apw_entry *root = NULL;
    struct apw_error error = {""};

    apw_doctor_view_read(view, directory, "", wanted, &root, &error);
    if (root != NULL && has_text(root, "vendorName", "389"))
        dialect = APW_DOCTOR_DIALECT_389;
    else if (root != NULL && has_text(root, "configContext", "cn=config"))
        dialect = APW_DOCTOR_DIALECT_CN_CONFIG;
    else if (root != NULL && has_text(root, "supportedCapabilities", CAP_ACTIVE_DIRECTORY))
        dialect = APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY;
    apw_entries_free(&root);
    return dialect;
}

const char *apw_doctor_dialect_file(enum apw_doctor_dialect dialect)
{
    switch (dialect) {
    case APW_DOCTOR_DIALECT_SLAPD_CONF:
        return "acl-slapd.conf";
    case APW_DOCTOR_DIALECT_CN_CONFIG:
        return "acl-cnconfig.ldif";
    case APW_DOCTOR_DIALECT_389:
        return "aci-389ds.ldif";
    case APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY:
        return "active-directory/rights.sddl";
    }
    return "";
}

/* The rights of an aci: what is missing, or what is too much. */
static const char *aci_rights(const struct apw_doctor_rule *rule)
{
    if (rule->is_denial)
        return strcmp(rule->right, "none") == 0 ? "read, search, compare, write" : "write";
    if (strcmp(rule->right, "write") == 0)
        return "read, search, compare, write";
    return strcmp(rule->right, "read") == 0 ? "read, search, compare" : "search";
}

/* 389: a denial takes precedence, wherever it stands. "all" are all users who have signed in. */
static void fix_aci(struct apw_diagnosis *diagnosis, const struct apw_doctor_rule *rule)
{
    if (rule->is_denial)
        apw_diagnosis_fix(diagnosis, "# aci of the suffix");
    else
        apw_diagnosis_fix(diagnosis,
                          "# aci of the suffix; if another one denies this, remove that");
    apw_diagnosis_fix(
        diagnosis,
        "aci: (targetattr = \"%s\")(version 3.0; acl \"app-password doctor\"; %s (%s) "
        "userdn %s \"ldap:///%s\";)",
        rule->attribute, rule->is_denial ? "deny" : "allow", aci_rights(rule),
        rule->dn != NULL ? "=" : "!=", rule->dn != NULL ? rule->dn : "all");
}

/* What one entry needs depends on what it inherits: our script sets all rights at the root. */
static void fix_ace(struct apw_diagnosis *diagnosis, const struct apw_doctor_rule *rule)
{
    apw_diagnosis_fix(
        diagnosis, "run ldap-schema/active-directory/set-rights.ps1, or set-rights.sh for Samba");
    apw_diagnosis_fix(diagnosis,
                      "# if that does not mend it: is there an ACE of %s for %s in the entry or "
                      "its OU, does one of them block inheritance, or is the account under "
                      "AdminSDHolder?",
                      rule->dn != NULL ? rule->dn : "ANONYMOUS LOGON", rule->attribute);
}

void apw_doctor_dialect_fix_rule(const struct apw_doctor_view *view,
                                 enum apw_doctor_dialect dialect,
                                 const struct apw_doctor_rule *rule)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    bool is_config = dialect == APW_DOCTOR_DIALECT_CN_CONFIG;
    char who[600] = "anonymous";

    if (dialect == APW_DOCTOR_DIALECT_389) {
        fix_aci(diagnosis, rule);
        return;
    }
    if (dialect == APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY) {
        if (apw_doctor_view_is_holder(view))
            fix_ace(diagnosis, rule);
        else
            apw_diagnosis_fix(diagnosis, "let %s have no right to %s but: %s",
                              rule->dn != NULL ? rule->dn : "ANONYMOUS LOGON", rule->attribute,
                              rule->right);
        return;
    }
    if (rule->dn != NULL)
        snprintf(who, sizeof who, "dn.exact=\"%s\"", rule->dn);
    if (is_config)
        apw_diagnosis_fix(diagnosis, "# olcAccess of the database; in slapd.conf, write \"access\" "
                                     "instead of \"olcAccess: {0}\", before your own rules");
    else
        apw_diagnosis_fix(diagnosis, "# slapd.conf, before your own rules of the database");
    apw_diagnosis_fix(diagnosis, "%sto attrs=%s by %s %s by * break",
                      is_config ? "olcAccess: {0}" : "access ", rule->attribute, who, rule->right);
}

void apw_doctor_dialect_fix_index(struct apw_diagnosis *diagnosis, enum apw_doctor_dialect dialect,
                                  const char *attribute)
{
    switch (dialect) {
    case APW_DOCTOR_DIALECT_SLAPD_CONF:
        apw_diagnosis_fix(diagnosis, "# slapd.conf, in the database; then stop slapd, run "
                                     "slapindex, and start it");
        apw_diagnosis_fix(diagnosis, "index %s eq", attribute);
        return;
    case APW_DOCTOR_DIALECT_CN_CONFIG:
        apw_diagnosis_fix(diagnosis, "# olcDbIndex of the database; in slapd.conf, write \"index\" "
                                     "instead of \"olcDbIndex:\", and run slapindex while slapd "
                                     "is stopped");
        apw_diagnosis_fix(diagnosis, "olcDbIndex: %s eq", attribute);
        return;
    case APW_DOCTOR_DIALECT_389:
        apw_diagnosis_fix(diagnosis,
                          "dsconf INSTANCE backend index add --attr %s --index-type eq --reindex "
                          "BACKEND",
                          attribute);
        return;
    case APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY:
        apw_diagnosis_fix(diagnosis, "# in the schema: add 1 to searchFlags of the attribute %s",
                          attribute);
        return;
    }
}

void apw_doctor_dialect_fix_limit(const struct apw_doctor_view *view)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    const char *dn = apw_doctor_view_dn(view->manager != NULL ? view->manager : view->identity);

    switch (apw_doctor_dialect_find(view, view->directory)) {
    case APW_DOCTOR_DIALECT_SLAPD_CONF:
        apw_diagnosis_fix(diagnosis, "# slapd.conf, before other limits of the database");
        apw_diagnosis_fix(diagnosis, "limits dn.exact=\"%s\" size=unlimited", dn);
        return;
    case APW_DOCTOR_DIALECT_CN_CONFIG:
        apw_diagnosis_fix(diagnosis,
                          "# olcLimits of the database; in slapd.conf, write \"limits\" "
                          "instead of \"olcLimits: {0}\", before other limits; then restart slapd");
        apw_diagnosis_fix(diagnosis, "olcLimits: {0}dn.exact=\"%s\" size=unlimited", dn);
        return;
    case APW_DOCTOR_DIALECT_389:
        apw_diagnosis_fix(diagnosis, "# of the entry %s", dn);
        apw_diagnosis_fix(diagnosis, "nsPagedLookThroughLimit: -1");
        return;
    case APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY:
        apw_diagnosis_fix(diagnosis, "# the LDAP policies of the domain controller: MaxPageSize, "
                                     "MaxQueryDuration");
        return;
    }
}

void apw_doctor_dialect_fix_schema(struct apw_diagnosis *diagnosis, enum apw_doctor_dialect dialect)
{
    switch (dialect) {
    case APW_DOCTOR_DIALECT_SLAPD_CONF:
        apw_diagnosis_fix(diagnosis, "# slapd.conf");
        apw_diagnosis_fix(diagnosis, "include /etc/ldap/schema/app-password.schema");
        return;
    case APW_DOCTOR_DIALECT_CN_CONFIG:
        apw_diagnosis_fix(diagnosis,
                          "ldapadd -Q -Y EXTERNAL -H ldapi:/// -f app-password.ldif   # on "
                          "that host; in slapd.conf: include app-password.schema");
        return;
    case APW_DOCTOR_DIALECT_389:
        apw_diagnosis_fix(diagnosis, "cp app-password-389ds.ldif "
                                     "/etc/dirsrv/slapd-INSTANCE/schema/99app-password.ldif   # on "
                                     "that host; then dsconf INSTANCE schema reload");
        return;
    case APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY:
        apw_diagnosis_fix(diagnosis, "load ldap-schema/active-directory/schema.ldif   # README.md "
                                     "there says how");
        return;
    }
}
