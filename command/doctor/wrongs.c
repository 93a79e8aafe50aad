/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/wrongs.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALONE_MAX 3 /* more have one cause */

static const char *const files[] = {
    [APW_DOCTOR_RULES_SLAPD_CONF] = "acl-slapd.conf",
    [APW_DOCTOR_RULES_CN_CONFIG] = "acl-cnconfig.ldif",
    [APW_DOCTOR_RULES_ACI] = "aci-389ds.ldif",
};

static bool has_text(const struct apw_entry *entry, const char *name, const char *text)
{
    const struct apw_attribute *found = apw_entry_attribute(entry, name);

    return found != NULL && found->count > 0 && strstr(found->value[0].bytes, text) != NULL;
}

/* slapd names cn=config even if it reads slapd.conf; so the fix for it has a hint. */
void apw_doctor_wrongs_start(const struct apw_doctor_view *view, struct apw_doctor_wrongs *wrongs_r)
{
    static const char *const wanted[] = {"vendorName", "configContext", NULL};
    struct apw_entry *root = NULL;
    struct apw_error error = {""};

    wrongs_r->count = 0;
    wrongs_r->rules = APW_DOCTOR_RULES_SLAPD_CONF;
    apw_doctor_view_read(view, view->directory, "", wanted, &root, &error);
    if (root != NULL && has_text(root, "vendorName", "389"))
        wrongs_r->rules = APW_DOCTOR_RULES_ACI;
    else if (root != NULL && has_text(root, "configContext", "cn=config"))
        wrongs_r->rules = APW_DOCTOR_RULES_CN_CONFIG;
    apw_entries_free(&root);
}

/* 389: a denial takes precedence, wherever it stands. */
static void write_aci(const struct apw_doctor_rule *rule, char *fix_r, size_t size)
{
    bool is_denied = strcmp(rule->right, "none") == 0;
    bool is_read = strcmp(rule->right, "read") == 0;

    snprintf(fix_r, size,
             "aci: (targetattr=\"%s\")(version 3.0; acl \"app-password doctor\"; %s (%s) "
             "userdn=\"ldap:///%s\";)   # see ldap-schema/%s",
             rule->attribute, is_denied ? "deny" : "allow",
             is_denied ? "write"
             : is_read ? "read,search,compare"
                       : "read,search,compare,write",
             rule->dn != NULL ? rule->dn : "anyone", files[APW_DOCTOR_RULES_ACI]);
}

static void write_fix(enum apw_doctor_rules rules, const struct apw_doctor_rule *rule, char *fix_r,
                      size_t size)
{
    bool is_config = rules == APW_DOCTOR_RULES_CN_CONFIG;
    char who[600] = "*";

    if (rules == APW_DOCTOR_RULES_ACI) {
        write_aci(rule, fix_r, size);
        return;
    }
    if (rule->dn != NULL)
        snprintf(who, sizeof who, "dn.exact=\"%s\"", rule->dn);
    snprintf(fix_r, size, "%sto attrs=%s by %s %s%s   # %s; see ldap-schema/%s",
             is_config ? "olcAccess: {0}" : "access ", rule->attribute, who, rule->right,
             rule->dn != NULL ? " by * break" : "",
             is_config ? "slapd.conf: \"access to\"" : "before your own rules", files[rules]);
}

void apw_doctor_wrongs_add(struct apw_doctor_wrongs *wrongs, const struct apw_doctor_rule *rule,
                           const char *format, ...)
{
    struct apw_doctor_wrong *wrong = &wrongs->wrong[wrongs->count];
    va_list arguments;

    if (wrongs->count++ >= APW_DOCTOR_WRONGS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(wrong->text, sizeof wrong->text, format, arguments);
    va_end(arguments);
    write_fix(wrongs->rules, rule, wrong->fix, sizeof wrong->fix);
}

static void report_alone(struct apw_diagnosis *diagnosis, const struct apw_doctor_wrong *wrong)
{
    apw_diagnosis_problem(diagnosis, "rights", "%s", wrong->text);
    apw_diagnosis_fix(diagnosis, "%s", wrong->fix);
}

static void report_together(struct apw_diagnosis *diagnosis, const struct apw_doctor_wrongs *wrongs)
{
    char list[1500] = "";
    size_t length = 0;

    for (unsigned i = 0; i < wrongs->count && i < APW_DOCTOR_WRONGS_MAX; i++) {
        if (length + strlen(wrongs->wrong[i].text) + 8 > sizeof list) {
            strcpy(list + length, "; …");
            break;
        }
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i > 0 ? "; " : "",
                                   wrongs->wrong[i].text);
    }
    if (wrongs->rules == APW_DOCTOR_RULES_ACI) {
        apw_diagnosis_problem(diagnosis, "rights",
                              "the rules of ldap-schema/%s are missing, or "
                              "others grant more: %s",
                              files[wrongs->rules], list);
        apw_diagnosis_fix(diagnosis,
                          "ldapmodify with ldap-schema/%s, and remove the aci values "
                          "that grant more",
                          files[wrongs->rules]);
        return;
    }
    apw_diagnosis_problem(
        diagnosis, "rights",
        "your rules stand before those of ldap-schema/%s, or ours are missing: %s",
        files[wrongs->rules], list);
    apw_diagnosis_fix(diagnosis, "put our rules first: %s",
                      wrongs->rules == APW_DOCTOR_RULES_CN_CONFIG
                          ? "olcAccess {0} and following, as in ldap-schema/acl-cnconfig.ldif   # "
                            "slapd.conf: acl-slapd.conf"
                          : "ldap-schema/acl-slapd.conf");
}

void apw_doctor_wrongs_report(struct apw_diagnosis *diagnosis,
                              const struct apw_doctor_wrongs *wrongs)
{
    if (wrongs->count > ALONE_MAX) {
        report_together(diagnosis, wrongs);
        return;
    }
    for (unsigned i = 0; i < wrongs->count; i++)
        report_alone(diagnosis, &wrongs->wrong[i]);
}
