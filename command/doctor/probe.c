/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/probe.h"
#include "doctor/schema.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMPROBABLE_DN "cn=nobody,cn=app-password doctor"
#define FILTER_SIZE   (APW_DOCTOR_NAME_SIZE + 128)

const char apw_doctor_probe_improbable[] = "a value that nobody has: app-password doctor";

/* ---- writing ---- */

/* Whether the error says that the directory itself maintains the attribute, like the memberOf of
 * OpenLDAP's overlay, and that no user may change it. slapd says so before it asks the rules. */
static bool is_maintained_by_directory(const struct apw_error *error)
{
    return strstr(error->text, "no user modification allowed") != NULL;
}

/* Whether the attribute is id_attribute, which most directories maintain themselves and refuse to
 * change for reasons of their own. */
static bool is_id(const struct apw_doctor_view *view, const char *attribute)
{
    return apw_config_has_store(view->config) && !apw_doctor_view_is_store(view) &&
           strcasecmp(attribute, view->config->store.id_attribute->name) == 0;
}

enum apw_doctor_right apw_doctor_probe_delete(const struct apw_doctor_view *view,
                                              const struct apw_doctor_subject *subject,
                                              const char *attribute, const char *value,
                                              struct apw_error *error)
{
    const struct apw_change changes[] = {
        {APW_CHANGE_DELETE, attribute, value},
        {APW_CHANGE_DELETE, subject->undone_by, apw_doctor_probe_improbable}};
    size_t count = subject->undone_by == NULL ? 1 : 2;

    switch (apw_directory_modify(subject->directory, subject->entry, changes, count,
                                 apw_doctor_view_deadline(view), error)) {
    case APW_LDAP_OK:
    case APW_LDAP_CONFLICT:
        return APW_DOCTOR_RIGHT_YES;
    case APW_LDAP_NOT_PERMITTED:
        return APW_DOCTOR_RIGHT_NO;
    case APW_LDAP_REFUSED:
        return is_maintained_by_directory(error) || is_id(view, attribute)
                   ? APW_DOCTOR_RIGHT_NO
                   : APW_DOCTOR_RIGHT_UNKNOWN;
    case APW_LDAP_READ_ONLY:
        return is_id(view, attribute) ? APW_DOCTOR_RIGHT_NO : APW_DOCTOR_RIGHT_NOT_HERE;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_NO_SUCH_OBJECT:
        break;
    }
    return APW_DOCTOR_RIGHT_UNKNOWN;
}

/* A value of the attribute's syntax that the entry does not have. */
static const char *absent_value(const struct apw_doctor_view *view, const char *dn,
                                const char *attribute)
{
    if (strcasecmp(attribute, "appPasswordMfaEnforceFrom") == 0 ||
        strcasecmp(attribute, "appPasswordOrphanSince") == 0)
        return "19000101000000.0Z"; /* Active Directory takes no shorter form */
    if (strcasecmp(attribute, "objectClass") == 0)
        return "residentialPerson";
    if (strcasecmp(attribute, "entryUUID") == 0)
        return "00000000-0000-0000-0000-000000000000";
    if (strcasecmp(attribute, "appPasswordMfaEnabled") != 0)
        return apw_doctor_probe_improbable;
    return apw_doctor_view_matches(view, view->directory, dn, "(appPasswordMfaEnabled=TRUE)")
               ? "FALSE"
               : "TRUE";
}

/* What the mail server may do with an attribute that it must not write. */
static const char *right_to_look(const char *attribute)
{
    if (strcasecmp(attribute, "appPasswordMfaMethod") == 0 ||
        strcasecmp(attribute, "appPasswordOrphanSince") == 0)
        return "none";
    return strcasecmp(attribute, "appPasswordMfaEnabled") == 0 ? "search" : "read";
}

void apw_doctor_probe_judge(const struct apw_doctor_place *place,
                            const struct apw_doctor_subject *subject, const char *attribute,
                            enum apw_doctor_right right, enum apw_doctor_right expected,
                            const struct apw_error *error)
{
    bool should_have = expected == APW_DOCTOR_RIGHT_YES;
    const struct apw_doctor_rule rule = {
        .dn = subject->dn,
        .right = should_have ? "write" : right_to_look(attribute),
        .is_denial = !should_have,
    };

    if (right == APW_DOCTOR_RIGHT_UNKNOWN || right == APW_DOCTOR_RIGHT_NOT_HERE) {
        apw_diagnosis_unknown(place->view->diagnosis, "rights",
                              "cannot tell whether %s may write %s: %s", subject->name, attribute,
                              error->text);
        apw_diagnosis_fix(place->view->diagnosis,
                          "%swrite_uri URI   # of a server that takes changes",
                          place->view->prefix);
    } else if (right == expected) {
        apw_diagnosis_good(place->view->diagnosis, "rights", "%s %s write %s", subject->name,
                           should_have ? "may" : "may not", attribute);
    } else {
        apw_doctor_wrongs_add(place->wrongs, attribute,
                              subject->is_fixed_by_our_rules ? NULL : &rule, "%s %s write %s",
                              subject->name, should_have ? "may not" : "may", attribute);
    }
}

void apw_doctor_probe_writing(const struct apw_doctor_place *place,
                              const struct apw_doctor_subject *subject, const char *attribute,
                              enum apw_doctor_right expected)
{
    struct apw_error error = {""};
    const char *value = absent_value(place->view, subject->entry, attribute);
    enum apw_doctor_right right;

    if (strcasecmp(attribute, "objectClass") == 0 &&
        apw_directory_traits(place->view->type)->has_static_class)
        return; /* nobody adds classes */
    right = apw_doctor_probe_delete(place->view, subject, attribute, value, &error);
    if (right == APW_DOCTOR_RIGHT_UNKNOWN &&
        value == apw_doctor_probe_improbable) /* its values may be DNs */
        right = apw_doctor_probe_delete(place->view, subject, attribute, IMPROBABLE_DN, &error);
    apw_doctor_probe_judge(place, subject, attribute, right, expected, &error);
}

/* ---- reading ---- */

bool apw_doctor_probe_can_read(const struct apw_doctor_view *view, struct apw_directory *directory,
                               const char *dn, const char *attribute)
{
    const char *wanted[] = {attribute, NULL};
    const struct apw_attribute *found;
    struct apw_entry *entry;
    struct apw_error error = {""};
    bool is_found;

    apw_doctor_view_read(view, directory, dn, wanted, &entry, &error);
    found = entry == NULL ? NULL : apw_entry_attribute(entry, attribute);
    is_found = found != NULL && found->count > 0;
    apw_entries_free(&entry);
    return is_found;
}

char *apw_doctor_probe_find_with(const struct apw_doctor_view *view,
                                 struct apw_directory *directory, const char *attribute)
{
    const char *users = apw_directory_traits(view->type)->user_filter;
    char filter[FILTER_SIZE];

    if (users == NULL)
        snprintf(filter, sizeof filter, "(%s=*)", attribute);
    else
        snprintf(filter, sizeof filter, "(&%s(%s=*))", users, attribute);
    return apw_doctor_view_find(view, directory, filter);
}

void apw_doctor_probe_reading(const struct apw_doctor_place *place,
                              const struct apw_doctor_subject *subject, const char *attribute)
{
    const struct apw_doctor_view *view = place->view;
    const struct apw_doctor_rule rule = {.dn = subject->dn, .right = "read"};
    char *dn = apw_doctor_probe_find_with(view, apw_doctor_view_best(view), attribute);

    if (dn == NULL)
        apw_diagnosis_note(view->diagnosis, "rights",
                           "no entry shows %s, so there is nothing to compare", attribute);
    else if (apw_doctor_probe_can_read(view, subject->directory, dn, attribute))
        apw_diagnosis_good(view->diagnosis, "rights", "%s can read %s", subject->name, attribute);
    else
        apw_doctor_wrongs_add(place->wrongs, attribute,
                              subject->is_fixed_by_our_rules ? NULL : &rule,
                              "%s cannot read %s of %s", subject->name, attribute, dn);
    free(dn);
}

int apw_doctor_probe_connect(const struct apw_doctor_place *place,
                             const struct apw_identity *identity,
                             struct apw_doctor_subject *subject)
{
    struct apw_error error = {""};

    if (apw_doctor_view_connect(place->view, &place->alone, identity, &subject->directory,
                                &error) == 0)
        return 0;
    apw_diagnosis_unknown(place->view->diagnosis, "rights", "cannot tell what %s may do: %s",
                          subject->name, error.text);
    return -1;
}
