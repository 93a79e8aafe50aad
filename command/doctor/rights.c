/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/rights.h"
#include "account_state.h"
#include "doctor/schema.h"
#include "doctor/wrongs.h"
#include "session.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMPROBABLE_DN "cn=nobody,cn=app-password doctor"
#define FILTER_SIZE   (APW_DOCTOR_NAME_SIZE + 8)

static const char improbable[] = "a value that nobody has: app-password doctor";

enum right {
    RIGHT_UNKNOWN = 0,
    RIGHT_NOT_HERE, /* the server takes no changes */
    RIGHT_YES,
    RIGHT_NO
};

/* One server, and what is wrong there. `view` has that server alone. */
struct place {
    const struct apw_doctor_view *view;
    struct apw_uris alone;
    struct apw_doctor_wrongs *wrongs;
    const char *as_dn, *as_password; /* NULL: no user to try */
};

/* An identity whose rights are tested. */
struct subject {
    const char *name; /* "the mail server" */
    const char *dn;   /* for the rule that fixes a finding */
    struct apw_directory *directory;
    const char *entry;     /* DN that the rights are tested on */
    const char *undone_by; /* an attribute that the subject may write, or NULL */
    bool is_user;
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
    case APW_LDAP_READ_ONLY:
        return RIGHT_NOT_HERE;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_NO_SUCH_OBJECT:
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

/* What the mail server may do with an attribute that it must not write. */
static const char *right_to_look(const char *attribute)
{
    if (strcasecmp(attribute, "appPasswordMfaMethod") == 0)
        return "none";
    return strcasecmp(attribute, "appPasswordMfaEnabled") == 0 ? "search" : "read";
}

static void judge_right(const struct place *place, const struct subject *subject,
                        const char *attribute, enum right right, enum right expected,
                        const struct apw_error *error)
{
    bool should_have = expected == RIGHT_YES;
    const struct apw_doctor_rule rule = {
        .dn = subject->dn,
        .right = should_have ? "write" : right_to_look(attribute),
        .is_denial = !should_have,
    };

    if (right == RIGHT_UNKNOWN || right == RIGHT_NOT_HERE) {
        apw_diagnosis_unknown(place->view->diagnosis, "rights",
                              "cannot tell whether %s may write %s: %s", subject->name, attribute,
                              error->text);
        apw_diagnosis_fix(place->view->diagnosis,
                          "write_uri URI   # of a server that takes changes");
    } else if (right == expected) {
        apw_diagnosis_good(place->view->diagnosis, "rights", "%s %s write %s", subject->name,
                           should_have ? "may" : "may not", attribute);
    } else {
        apw_doctor_wrongs_add(place->wrongs, attribute, subject->is_user ? NULL : &rule,
                              "%s %s write %s", subject->name, should_have ? "may not" : "may",
                              attribute);
    }
}

static void check_writing(const struct place *place, const struct subject *subject,
                          const char *attribute, enum right expected)
{
    struct apw_error error = {""};
    const char *value = absent_value(place->view, subject->entry, attribute);
    enum right right = may_delete(place->view, subject, attribute, value, &error);

    if (right == RIGHT_UNKNOWN && value == improbable) /* its values may be DNs */
        right = may_delete(place->view, subject, attribute, IMPROBABLE_DN, &error);
    judge_right(place, subject, attribute, right, expected, &error);
}

/* False if the server takes no changes: it is a replica, whose provider decides. */
static bool check_writing_as_mail_server(const struct place *place, struct subject *subject)
{
    const struct apw_doctor_view *view = place->view;
    struct apw_error error = {""};
    enum right used = may_delete(view, subject, "appPasswordUsed", improbable, &error);

    if (used == RIGHT_NOT_HERE)
        return false;
    if (used == RIGHT_YES)
        subject->undone_by = "appPasswordUsed";
    if (view->config->record_use_s > 0)
        judge_right(place, subject, "appPasswordUsed", used, RIGHT_YES, &error);
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        if (strcmp(apw_doctor_schema_attributes[i].name, "appPasswordUsed") != 0)
            check_writing(place, subject, apw_doctor_schema_attributes[i].name, RIGHT_NO);
    check_writing(place, subject, "objectClass", RIGHT_NO);
    for (size_t i = 0; i < view->names.count; i++)
        check_writing(place, subject, view->names.name[i], RIGHT_NO);
    return true;
}

static void check_administrators_writing(const struct place *place)
{
    const struct apw_identity *identity = &place->view->session->identity;
    struct subject subject = {.name = "the administrator",
                              .dn = apw_doctor_view_dn(identity),
                              .entry = place->view->sample,
                              .undone_by = "appPasswordUsed"};
    struct apw_error error = {""};

    if (apw_session_connect(place->view->config, &place->alone, identity, &subject.directory,
                            &error) != 0)
        apw_diagnosis_unknown(place->view->diagnosis, "rights", "%s", error.text);
    else
        for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
            check_writing(place, &subject, apw_doctor_schema_attributes[i].name, RIGHT_YES);
    apw_directory_free(&subject.directory);
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
static void check_mail_servers_reading(const struct place *place, const char *attribute)
{
    const struct apw_doctor_view *view = place->view;
    const struct apw_doctor_rule rule = {.dn = apw_doctor_view_dn(&view->config->identity),
                                         .right = "read"};
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
        apw_doctor_wrongs_add(place->wrongs, attribute, &rule,
                              "the mail server cannot read %s of %s", attribute, dn);
    }
    free(dn);
}

static void check_anonymous(const struct place *place)
{
    const struct apw_doctor_view *view = place->view;
    const struct apw_identity anonymous = {.method = APW_BIND_ANONYMOUS};
    struct apw_directory *directory = NULL;
    struct apw_error error = {""};
    unsigned before = place->wrongs->count;

    if (apw_session_connect(view->config, &place->alone, &anonymous, &directory, &error) != 0) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "cannot tell what anonymous sees: %s",
                              error.text);
        return;
    }
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++) {
        static const struct apw_doctor_rule rule = {.right = "none", .is_denial = true};
        const char *attribute = apw_doctor_schema_attributes[i].name;
        char *dn = find_with(view, directory, attribute);

        if (dn != NULL)
            apw_doctor_wrongs_add(place->wrongs, attribute, &rule,
                                  "anonymous can find users with %s: %s", attribute, dn);
        free(dn);
    }
    if (place->wrongs->count == before)
        apw_diagnosis_good(view->diagnosis, "rights",
                           "anonymous cannot find any of the five attributes");
    apw_directory_free(&directory);
}

static void check_reading(const struct place *place)
{
    static const char *const read[] = {"appPassword", "appPasswordMfaEnforceFrom",
                                       "appPasswordUsed"};
    const struct apw_doctor_view *view = place->view;

    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        check_mail_servers_reading(place, read[i]);
    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        check_mail_servers_reading(place, apw_account_state_attributes[i]);
    for (size_t i = 0; i < view->names.count; i++)
        check_mail_servers_reading(place, view->names.name[i]);
    check_anonymous(place);
}

/* ---- a user ---- */

static void check_users_reading(const struct place *place, const struct subject *subject,
                                const char *attribute)
{
    if (can_read(place->view, subject->directory, subject->entry, attribute))
        apw_doctor_wrongs_add(place->wrongs, attribute, NULL, "%s can read %s", subject->name,
                              attribute);
    else
        apw_diagnosis_good(place->view->diagnosis, "rights", "%s cannot read %s", subject->name,
                           attribute);
}

static void check_as_user(const struct place *place, const struct subject *user)
{
    const struct apw_config *config = place->view->config;
    struct apw_doctor_names names = place->view->names;

    apw_doctor_names_add_filter(&names, config->mfa_filter);
    if (config->mfa_off_filter != NULL)
        apw_doctor_names_add_filter(&names, config->mfa_off_filter);
    if (config->disabled_filter != NULL)
        apw_doctor_names_add_filter(&names, config->disabled_filter);
    apw_doctor_names_add(&names, "objectClass");
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        apw_doctor_names_add(&names, apw_doctor_schema_attributes[i].name);
    for (size_t i = 0; i < names.count; i++)
        check_writing(place, user, names.name[i], RIGHT_NO);
    check_users_reading(place, user, "appPassword");
    check_users_reading(place, user, "appPasswordMfaMethod");
}

static void check_user(const struct place *place)
{
    const struct apw_identity identity = {.method = APW_BIND_SIMPLE,
                                          .dn = (char *)place->as_dn,
                                          .password = (char *)place->as_password};
    struct subject user = {
        .name = "the user", .dn = place->as_dn, .entry = place->as_dn, .is_user = true};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};

    if (apw_session_connect(place->view->config, &place->alone, &identity, &user.directory,
                            &error) != 0 ||
        apw_doctor_view_read(place->view, user.directory, place->as_dn, NULL, &entry, &error) !=
            APW_LDAP_OK)
        apw_diagnosis_unknown(place->view->diagnosis, "--as", "%s", error.text);
    else
        check_as_user(place, &user);
    apw_entries_free(&entry);
    apw_directory_free(&user.directory);
}

/* ---- each server ---- */

/* Returns false if the server takes no changes. */
static bool check_all_writing(const struct place *place)
{
    const struct apw_doctor_view *view = place->view;
    struct subject subject = {.name = "the mail server",
                              .dn = apw_doctor_view_dn(&view->config->identity),
                              .directory = view->directory,
                              .entry = view->sample};

    if (view->sample != NULL && !check_writing_as_mail_server(place, &subject))
        return false;
    if (view->sample != NULL && view->session != NULL)
        check_administrators_writing(place);
    if (place->as_password != NULL)
        check_user(place);
    return true;
}

static bool is_in(const struct apw_uris *uris, const char *uri)
{
    for (unsigned i = 0; i < uris->count; i++)
        if (strcmp(uris->uri[i], uri) == 0)
            return true;
    return false;
}

/* Whether the server answers; if it does not, another check says so. */
static bool answers(const struct apw_doctor_view *view)
{
    struct apw_entry *base = NULL;
    struct apw_error error = {""};
    bool is_answer = apw_doctor_view_read(view, view->directory, view->config->base, NULL, &base,
                                          &error) == APW_LDAP_OK;

    apw_entries_free(&base);
    return is_answer;
}

/* Returns whether the server takes changes, or true if it need not. */
static bool check_place(const struct place *place)
{
    const struct apw_config *config = place->view->config;
    bool takes_changes = true;

    apw_doctor_wrongs_start(place->view, place->wrongs);
    if (is_in(&config->uris, place->alone.uri[0]))
        check_reading(place);
    if (is_in(&config->write_uris, place->alone.uri[0]))
        takes_changes = check_all_writing(place);
    apw_doctor_wrongs_report(place->view->diagnosis, place->wrongs);
    return takes_changes;
}

static void check_servers(const struct apw_doctor_view *view, struct place *place)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    char *uris[2 * APW_URIS_MAX];
    size_t count = apw_uris_unite(&view->config->uris, &view->config->write_uris, uris);
    unsigned replicas = 0;

    for (size_t i = 0; i < count; i++) {
        struct apw_doctor_view one = *view;
        struct apw_error error = {""};

        one.directory = NULL;
        place->view = &one;
        place->alone = (struct apw_uris){.count = 1, .uri = {uris[i]}};
        diagnosis->server = uris[i];
        if (apw_session_connect(view->config, &place->alone, &view->config->identity,
                                &one.directory, &error) == 0 &&
            answers(&one) && !check_place(place))
            replicas++;
        apw_directory_free(&one.directory);
    }
    diagnosis->server = NULL;
    if (replicas == view->config->write_uris.count) {
        apw_diagnosis_unknown(diagnosis, "rights",
                              "cannot tell who may write: no server of write_uri takes changes");
        apw_diagnosis_fix(diagnosis, "write_uri URI   # of a server that takes changes");
    }
}

void apw_doctor_rights_check(const struct apw_doctor_view *view, const char *as_dn,
                             const char *as_password)
{
    struct place place = {
        .as_dn = as_dn, .as_password = as_password, .wrongs = malloc(sizeof *place.wrongs)};

    if (place.wrongs == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "out of memory");
        return;
    }
    check_servers(view, &place);
    free(place.wrongs);
    if (view->sample == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "no user below %s to test them on",
                              view->config->base);
        apw_diagnosis_fix(view->diagnosis, "base and filter of %s must find your users",
                          view->config->path);
    } else if (view->session == NULL) {
        apw_diagnosis_note(view->diagnosis, "rights",
                           "no administrator here (admin.conf, -D, -Y), so the administrator's "
                           "rights are not checked");
    }
}
