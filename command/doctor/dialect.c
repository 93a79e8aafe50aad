/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/dialect.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

static bool has_text(const struct apw_entry *entry, const char *name, const char *text)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    return found != NULL && found->count > 0 && strstr(found->value[0].bytes, text) != NULL;
}

enum apw_doctor_dialect apw_doctor_dialect_find(const struct apw_doctor_view *view,
                                                struct apw_directory *directory)
{
    static const char *const wanted[] = {"vendorName", "configContext", NULL};
    enum apw_doctor_dialect dialect = APW_DOCTOR_DIALECT_SLAPD_CONF;
    struct apw_entry *root = NULL;
    struct apw_error error = {""};

    apw_doctor_view_read(view, directory, "", wanted, &root, &error);
    if (root != NULL && has_text(root, "vendorName", "389"))
        dialect = APW_DOCTOR_DIALECT_389;
    else if (root != NULL && has_text(root, "configContext", "cn=config"))
        dialect = APW_DOCTOR_DIALECT_CN_CONFIG;
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

void apw_doctor_dialect_fix_rule(struct apw_diagnosis *diagnosis, enum apw_doctor_dialect dialect,
                                 const struct apw_doctor_rule *rule)
{
    bool is_config = dialect == APW_DOCTOR_DIALECT_CN_CONFIG;
    char who[600] = "anonymous";

    if (dialect == APW_DOCTOR_DIALECT_389) {
        fix_aci(diagnosis, rule);
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
    }
}

void apw_doctor_dialect_fix_limit(const struct apw_doctor_view *view)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    const char *dn = apw_doctor_view_dn(view->session != NULL ? &view->session->identity
                                                              : &view->config->identity);

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
    }
}
