/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/rights.h"
#include "account_state.h"
#include "doctor/schema.h"
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMPROBABLE_DN "cn=nobody,cn=app-password doctor"
#define FILTER_SIZE   (APW_DOCTOR_NAME_SIZE + 8)

static const char improbable[] = "a value that nobody has: app-password doctor";

enum right { RIGHT_UNKNOWN = 0, RIGHT_YES, RIGHT_NO };

/* An identity whose rights are tested. */
struct subject {
    const char *name; /* "the mail server" */
    const char *dn;   /* for the rule that fixes a finding */
    struct apw_directory *directory;
    const char *entry;     /* DN that the rights are tested on */
    const char *undone_by; /* an attribute that the subject may write, or NULL */
};

/* ---- writing ---- */

/* Whether the error says that the directory itself maintains the attribute, like the memberOf of
 * OpenLDAP's overlay, and that no user may change it. slapd says so before it asks the rules. */
static bool is_maintained_by_directory(const struct apw_error *error)
{
    return strstr(error->text, "no user modification allowed") != NULL;
}

/* Whether the subject may delete a value, by deleting one that is not there: result 16 is yes, 50
 * is no. A second change, which always fails, undoes the first in case that value does exist. */
static enum right may_delete(const struct apw_doctor_view *view, const struct subject *subject,
                             const char *attribute, const char *value, struct apw_error *error)
{
    const struct apw_change changes[] = {{APW_CHANGE_DELETE, attribute, value},
                                         {APW_CHANGE_DELETE, subject->undone_by, improbable}};
    size_t count = subject->undone_by == NULL ? 1 : 2;

    switch (apw_directory_modify(subject->directory, subject->entry, changes, count,
                                 apw_doctor_view_deadline(view), error)) {
    case APW_LDAP_OK:
    case APW_LDAP_CONFLICT:
        return RIGHT_YES;
    case APW_LDAP_NOT_PERMITTED:
        return RIGHT_NO;
    case APW_LDAP_REFUSED:
        return is_maintained_by_directory(error) ? RIGHT_NO : RIGHT_UNKNOWN;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_NO_SUCH_OBJECT:
    case APW_LDAP_READ_ONLY:
        break;
    }
    return RIGHT_UNKNOWN;
}

static bool has_mfa_on(const struct apw_doctor_view *view, const char *dn)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct apw_query query = {.base = dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(appPasswordMfaEnabled=TRUE)",
                                    .attributes = nothing,
                                    .limit = 1};
    struct apw_entry *entry;
    struct apw_error error = {""};
    bool is_found;

    apw_doctor_view_search(view, view->directory, &query, &entry, &error);
    is_found = entry != NULL;
    apw_entries_free(&entry);
    return is_found;
}

/* A value of the attribute's syntax that the entry does not have. */
static const char *absent_value(const struct apw_doctor_view *view, const char *dn,
                                const char *attribute)
{
    if (strcasecmp(attribute, "appPasswordMfaEnforceFrom") == 0)
        return "19000101000000Z";
    if (strcasecmp(attribute, "objectClass") == 0)
        return "residentialPerson";
    if (strcasecmp(attribute, "appPasswordMfaEnabled") != 0)
        return improbable;
    return has_mfa_on(view, dn) ? "FALSE" : "TRUE";
}

static void judge_right(const struct apw_doctor_view *view, const struct subject *subject,
                        const char *attribute, enum right right, enum right expected,
                        const struct apw_error *error)
{
    bool should_have = expected == RIGHT_YES;

    if (right == RIGHT_UNKNOWN) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "cannot tell whether %s may write %s: %s",
                              subject->name, attribute, error->text);
        apw_diagnosis_fix(view->diagnosis, "write_uri URI   # of a server that takes changes");
    } else if (right == expected) {
        apw_diagnosis_good(view->diagnosis, "rights", "%s %s write %s", subject->name,
                           should_have ? "may" : "may not", attribute);
    } else {
        apw_diagnosis_problem(view->diagnosis, "rights", "%s %s write %s", subject->name,
                              should_have ? "may not" : "may", attribute);
        apw_diagnosis_fix(view->diagnosis,
                          "access to attrs=%s … by dn.exact=\"%s\" %s   # see ldap-schema/acl-*",
                          attribute, subject->dn, should_have ? "write" : "none");
    }
}

static void check_writing(const struct apw_doctor_view *view, const struct subject *subject,
                          const char *attribute, enum right expected)
{
    struct apw_error error = {""};
    const char *value = absent_value(view, subject->entry, attribute);
    enum right right = may_delete(view, subject, attribute, value, &error);

    if (right == RIGHT_UNKNOWN && value == improbable) /* its values may be DNs */
        right = may_delete(view, subject, attribute, IMPROBABLE_DN, &error);
    judge_right(view, subject, attribute, right, expected, &error);
}

static void check_writing_as_mail_server(const struct apw_doctor_view *view,
                                         struct subject *subject)
{
    const struct apw_config *config = view->config;
    struct apw_error error = {""};
    enum right used = may_delete(view, subject, "appPasswordUsed", improbable, &error);

    if (used == RIGHT_YES)
        subject->undone_by = "appPasswordUsed";
    if (config->record_use_s > 0)
        judge_right(view, subject, "appPasswordUsed", used, RIGHT_YES, &error);
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        if (strcmp(apw_doctor_schema_attributes[i].name, "appPasswordUsed") != 0)
            check_writing(view, subject, apw_doctor_schema_attributes[i].name, RIGHT_NO);
    check_writing(view, subject, "objectClass", RIGHT_NO);
    for (size_t i = 0; i < view->names.count; i++)
        check_writing(view, subject, view->names.name[i], RIGHT_NO);
}

static void check_mail_servers_writing(const struct apw_doctor_view *view)
{
    const struct apw_config *config = view->config;
    struct subject subject = {.name = "the mail server",
                              .dn = apw_doctor_view_dn(&config->identity),
                              .entry = view->sample};
    struct apw_error error = {""};

    if (apw_session_connect(config, &config->write_uris, &config->identity, &subject.directory,
                            &error) != 0) {
        apw_diagnosis_problem(view->diagnosis, "write_uri", "%s", error.text);
        apw_diagnosis_fix(view->diagnosis, "write_uri ldaps://ldap.example.org");
        return;
    }
    check_writing_as_mail_server(view, &subject);
    apw_directory_free(&subject.directory);
}

static void check_administrators_writing(const struct apw_doctor_view *view)
{
    const struct subject subject = {.name = "the administrator",
                                    .dn = apw_doctor_view_dn(&view->session->identity),
                                    .directory = view->session->directory,
                                    .entry = view->sample,
                                    .undone_by = "appPasswordUsed"};

    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        check_writing(view, &subject, apw_doctor_schema_attributes[i].name, RIGHT_YES);
}

/* ---- reading ---- */

static bool can_read(const struct apw_doctor_view *view, struct apw_directory *directory,
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

/* The DN of an entry with the attribute, or NULL. The caller frees it. */
static char *find_with(const struct apw_doctor_view *view, struct apw_directory *directory,
                       const char *attribute)
{
    char filter[FILTER_SIZE];

    snprintf(filter, sizeof filter, "(%s=*)", attribute);
    return apw_doctor_view_find(view, directory, filter);
}

/* The mail server must see the attribute on an entry on which the administrator sees it. */
static void check_mail_servers_reading(const struct apw_doctor_view *view, const char *attribute)
{
    char *dn = find_with(view, view->session != NULL ? view->session->directory : view->directory,
                         attribute);

    if (dn == NULL) {
        apw_diagnosis_note(view->diagnosis, "rights",
                           "no entry shows %s, so there is nothing to compare", attribute);
        return;
    }
    if (can_read(view, view->directory, dn, attribute)) {
        apw_diagnosis_good(view->diagnosis, "rights", "the mail server can read %s", attribute);
    } else {
        apw_diagnosis_problem(view->diagnosis, "rights", "the mail server cannot read %s of %s",
                              attribute, dn);
        apw_diagnosis_fix(view->diagnosis, "access to attrs=%s by dn.exact=\"%s\" read by * break",
                          attribute, apw_doctor_view_dn(&view->config->identity));
    }
    free(dn);
}

static void check_anonymous(const struct apw_doctor_view *view)
{
    const struct apw_identity anonymous = {.method = APW_BIND_ANONYMOUS};
    struct apw_directory *directory = NULL;
    struct apw_error error = {""};
    unsigned before = view->diagnosis->problems;

    if (apw_session_connect(view->config, &view->config->uris, &anonymous, &directory, &error) !=
        0) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "cannot tell what anonymous sees: %s",
                              error.text);
        return;
    }
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++) {
        const char *attribute = apw_doctor_schema_attributes[i].name;
        char *dn = find_with(view, directory, attribute);

        if (dn == NULL)
            continue;
        apw_diagnosis_problem(view->diagnosis, "rights", "anonymous can find users with %s: %s",
                              attribute, dn);
        apw_diagnosis_fix(view->diagnosis,
                          "access to attrs=%s … by * none   # before your own rules", attribute);
        free(dn);
    }
    if (view->diagnosis->problems == before)
        apw_diagnosis_good(view->diagnosis, "rights",
                           "anonymous cannot find any of the five attributes");
    apw_directory_free(&directory);
}

void apw_doctor_rights_check(const struct apw_doctor_view *view)
{
    static const char *const read[] = {"appPassword", "appPasswordMfaEnforceFrom",
                                       "appPasswordUsed"};

    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        check_mail_servers_reading(view, read[i]);
    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        check_mail_servers_reading(view, apw_account_state_attributes[i]);
    for (size_t i = 0; i < view->names.count; i++)
        check_mail_servers_reading(view, view->names.name[i]);
    check_anonymous(view);
    if (view->sample == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "no user below %s to test them on",
                              view->config->base);
        apw_diagnosis_fix(view->diagnosis, "base and filter of %s must find your users",
                          view->config->path);
        return;
    }
    check_mail_servers_writing(view);
    if (view->session != NULL)
        check_administrators_writing(view);
    else
        apw_diagnosis_note(view->diagnosis, "rights",
                           "no administrator here (admin.conf, -D, -Y), so the "
                           "administrator's rights are not checked");
}

/* ---- a user ---- */

static void check_users_reading(const struct apw_doctor_view *view, const struct subject *subject,
                                const char *attribute)
{
    if (!can_read(view, subject->directory, subject->entry, attribute)) {
        apw_diagnosis_good(view->diagnosis, "rights", "%s cannot read %s", subject->name,
                           attribute);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "rights", "%s can read %s", subject->name, attribute);
    apw_diagnosis_fix(view->diagnosis, "access to attrs=%s … by * none   # before any \"by self\"",
                      attribute);
}

static void check_as_user(const struct apw_doctor_view *view, const struct subject *user)
{
    struct apw_doctor_names names = view->names;

    apw_doctor_names_add_filter(&names, view->config->mfa_filter);
    if (view->config->mfa_off_filter != NULL)
        apw_doctor_names_add_filter(&names, view->config->mfa_off_filter);
    if (view->config->disabled_filter != NULL)
        apw_doctor_names_add_filter(&names, view->config->disabled_filter);
    apw_doctor_names_add(&names, "objectClass");
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        apw_doctor_names_add(&names, apw_doctor_schema_attributes[i].name);
    for (size_t i = 0; i < names.count; i++)
        check_writing(view, user, names.name[i], RIGHT_NO);
    check_users_reading(view, user, "appPassword");
    check_users_reading(view, user, "appPasswordMfaMethod");
}

void apw_doctor_rights_check_user(const struct apw_doctor_view *view, const char *dn,
                                  const char *password)
{
    const struct apw_identity identity = {
        .method = APW_BIND_SIMPLE, .dn = (char *)dn, .password = (char *)password};
    struct subject user = {.name = "the user", .dn = dn, .entry = dn};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};

    if (apw_session_connect(view->config, &view->config->write_uris, &identity, &user.directory,
                            &error) != 0 ||
        apw_doctor_view_read(view, user.directory, dn, NULL, &entry, &error) != APW_LDAP_OK)
        apw_diagnosis_unknown(view->diagnosis, "--as", "%s", error.text);
    else
        check_as_user(view, &user);
    apw_entries_free(&entry);
    apw_directory_free(&user.directory);
}
