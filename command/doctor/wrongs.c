/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/wrongs.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ALONE_MAX     3 /* more have one cause */
#define ADMINISTRATOR "the administrator "
#define STORE_RULES   "examples/store/slapd.conf"

void apw_doctor_wrongs_start(const struct apw_doctor_view *view, struct apw_doctor_wrongs *wrongs_r)
{
    wrongs_r->count = 0;
    wrongs_r->dialect = apw_doctor_dialect_find(view, view->directory);
}

void apw_doctor_wrongs_add(struct apw_doctor_wrongs *wrongs, const char *attribute,
                           const struct apw_doctor_rule *rule, const char *format, ...)
{
    struct apw_doctor_wrong *wrong = &wrongs->wrong[wrongs->count];
    va_list arguments;

    if (wrongs->count++ >= APW_DOCTOR_WRONGS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(wrong->text, sizeof wrong->text, format, arguments);
    va_end(arguments);
    snprintf(wrong->attribute, sizeof wrong->attribute, "%s", attribute);
    wrong->rule = rule != NULL ? *rule : (struct apw_doctor_rule){.right = NULL};
    wrong->rule.attribute = wrong->attribute;
}

/* Whether a rule of the file with our rules is about the attribute. */
static bool is_in_our_rules(const char *attribute)
{
    return strncasecmp(attribute, "appPassword", 11) == 0 ||
           strcasecmp(attribute, "objectClass") == 0 || strcasecmp(attribute, "uid") == 0 ||
           strcasecmp(attribute, "mail") == 0;
}

/* What grants too much, or too little, as a whole. */
static void fix_by_our_rules(const struct apw_doctor_view *view, enum apw_doctor_dialect dialect,
                             const char *attribute)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    const char *file = apw_doctor_dialect_file(dialect);

    if (apw_doctor_view_is_store(view))
        apw_diagnosis_fix(diagnosis, "put the rules of " STORE_RULES " before others");
    else if (!apw_doctor_view_is_holder(view))
        apw_diagnosis_fix(diagnosis,
                          "let only the administrators of %s write %s: whoever can change it could "
                          "sign in as somebody else, or without MFA",
                          view->uris->uri[0], attribute);
    else if (dialect == APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY)
        apw_diagnosis_fix(diagnosis,
                          "set the rights of ldap-schema/%s; an attribute that they do not name "
                          "needs a denial like theirs: %s",
                          file, attribute);
    else if (dialect == APW_DOCTOR_DIALECT_389)
        apw_diagnosis_fix(diagnosis, "load ldap-schema/%s%s%s", file,
                          is_in_our_rules(attribute) ? "" : ", which must name with uid and mail: ",
                          is_in_our_rules(attribute) ? "" : attribute);
    else
        apw_diagnosis_fix(diagnosis, "put the rules of ldap-schema/%s before your own%s%s", file,
                          is_in_our_rules(attribute) ? "" : "; the rule of uid and mail must name ",
                          is_in_our_rules(attribute) ? "" : attribute);
}

static void report_alone(const struct apw_doctor_view *view, enum apw_doctor_dialect dialect,
                         const struct apw_doctor_wrong *wrong)
{
    apw_diagnosis_problem(view->diagnosis, "rights", "%s", wrong->text);
    if (wrong->rule.right != NULL)
        apw_doctor_dialect_fix_rule(view, dialect, &wrong->rule);
    else
        fix_by_our_rules(view, dialect, wrong->attribute);
}

static void list_texts(const struct apw_doctor_wrongs *wrongs, char *list_r, size_t size)
{
    size_t length = 0;

    for (unsigned i = 0; i < wrongs->count && i < APW_DOCTOR_WRONGS_MAX; i++) {
        const char *text = wrongs->wrong[i].text;

        if (length + strlen(text) + 8 > size) {
            strcpy(list_r + length, "; …");
            break;
        }
        length += (size_t)snprintf(list_r + length, size - length, "%s%s", i > 0 ? "; " : "", text);
    }
}

static bool are_all_the_administrators(const struct apw_doctor_wrongs *wrongs)
{
    for (unsigned i = 0; i < wrongs->count && i < APW_DOCTOR_WRONGS_MAX; i++)
        if (strncmp(wrongs->wrong[i].text, ADMINISTRATOR, strlen(ADMINISTRATOR)) != 0)
            return false;
    return true;
}

static void report_together(const struct apw_doctor_view *view,
                            const struct apw_doctor_wrongs *wrongs)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    const char *file = apw_doctor_dialect_file(wrongs->dialect);
    char list[1500] = "";

    list_texts(wrongs, list, sizeof list);
    if (apw_doctor_view_is_store(view)) {
        apw_diagnosis_problem(diagnosis, "rights",
                              "the rules of " STORE_RULES " are missing, or others stand before "
                              "them: %s",
                              list);
        apw_diagnosis_fix(diagnosis, "put the rules of " STORE_RULES " first, with the DNs of your "
                                     "store");
    } else if (are_all_the_administrators(wrongs)) {
        apw_diagnosis_problem(diagnosis, "rights",
                              "the administrator is not in the group of our rules, or your own "
                              "rules stand before ours: %s",
                              list);
        apw_diagnosis_fix(diagnosis,
                          "add %s to the group that ldap-schema/%s names, in the example "
                          "cn=mail-administrators,ou=groups,dc=example,dc=org",
                          wrongs->wrong[0].rule.dn, file);
    } else if (wrongs->dialect == APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY) {
        apw_diagnosis_problem(diagnosis, "rights",
                              "the rights of ldap-schema/%s are not set, or not for this user: %s",
                              file, list);
        apw_doctor_dialect_fix_rule(view, wrongs->dialect, &wrongs->wrong[0].rule);
    } else if (wrongs->dialect == APW_DOCTOR_DIALECT_389) {
        apw_diagnosis_problem(diagnosis, "rights",
                              "the rules of ldap-schema/%s are missing, or others grant more: %s",
                              file, list);
        apw_diagnosis_fix(diagnosis,
                          "ldapmodify with ldap-schema/%s, and remove the aci values that grant "
                          "more",
                          file);
    } else {
        apw_diagnosis_problem(
            diagnosis, "rights",
            "your rules stand before those of ldap-schema/%s, or ours are missing: %s", file, list);
        apw_diagnosis_fix(diagnosis, "put our rules first: %s",
                          wrongs->dialect == APW_DOCTOR_DIALECT_CN_CONFIG
                              ? "olcAccess {0} and following, as in ldap-schema/acl-cnconfig.ldif  "
                                " # slapd.conf: acl-slapd.conf"
                              : "ldap-schema/acl-slapd.conf");
    }
}

void apw_doctor_wrongs_report(const struct apw_doctor_view *view,
                              const struct apw_doctor_wrongs *wrongs)
{
    if (wrongs->count > ALONE_MAX && apw_doctor_view_is_holder(view)) {
        report_together(view, wrongs);
        return;
    }
    for (unsigned i = 0; i < wrongs->count && i < APW_DOCTOR_WRONGS_MAX; i++)
        report_alone(view, wrongs->dialect, &wrongs->wrong[i]);
}
