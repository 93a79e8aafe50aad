/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/rights.h"
#include "account_state.h"
#include "doctor/probe.h"
#include "doctor/schema.h"
#include "doctor/store_rights.h"
#include "password_change.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct apw_doctor_subject mail_server(const struct apw_doctor_view *view)
{
    return (struct apw_doctor_subject){.name = "the mail server",
                                       .dn = apw_doctor_view_dn(view->identity),
                                       .directory = view->directory,
                                       .entry = view->sample};
}

/* ---- writing ---- */

/* False if the server takes no changes: it is a replica, whose provider decides. */
static bool check_writing_as_mail_server(const struct apw_doctor_place *place,
                                         struct apw_doctor_subject *subject)
{
    const struct apw_doctor_view *view = place->view;
    struct apw_error error = {""};
    enum apw_doctor_right used = apw_doctor_probe_delete(view, subject, "appPasswordUsed",
                                                         apw_doctor_probe_improbable, &error);

    if (used == APW_DOCTOR_RIGHT_NOT_HERE)
        return false;
    if (used == APW_DOCTOR_RIGHT_YES)
        subject->undone_by = "appPasswordUsed";
    if (view->config->record_use_s > 0)
        apw_doctor_probe_judge(place, subject, "appPasswordUsed", used, APW_DOCTOR_RIGHT_YES,
                               &error);
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        if (strcmp(apw_doctor_schema_attributes[i].name, "appPasswordUsed") != 0)
            apw_doctor_probe_writing(place, subject, apw_doctor_schema_attributes[i].name,
                                     APW_DOCTOR_RIGHT_NO);
    apw_doctor_probe_writing(place, subject, "objectClass", APW_DOCTOR_RIGHT_NO);
    for (size_t i = 0; i < view->names.count; i++)
        apw_doctor_probe_writing(place, subject, view->names.name[i], APW_DOCTOR_RIGHT_NO);
    return true;
}

static void check_administrators_writing(const struct apw_doctor_place *place)
{
    const struct apw_identity *identity = place->view->manager;
    struct apw_doctor_subject subject = {.name = "the administrator",
                                         .dn = apw_doctor_view_dn(identity),
                                         .entry = place->view->sample,
                                         .undone_by = "appPasswordUsed"};

    if (apw_doctor_probe_connect(place, identity, &subject) == 0)
        for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
            apw_doctor_probe_writing(place, &subject, apw_doctor_schema_attributes[i].name,
                                     APW_DOCTOR_RIGHT_YES);
    apw_directory_free(&subject.directory);
}

/* ---- reading ---- */

static void check_anonymous(const struct apw_doctor_place *place)
{
    static const struct apw_identity anonymous = {.method = APW_BIND_ANONYMOUS};
    static const struct apw_doctor_rule rule = {.right = "none", .is_denial = true};
    struct apw_doctor_subject subject = {.name = "anonymous"};
    unsigned before = place->wrongs->count;

    if (apw_doctor_probe_connect(place, &anonymous, &subject) != 0)
        return;
    for (size_t i = 0; i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++) {
        const char *attribute = apw_doctor_schema_attributes[i].name;
        char *dn = apw_doctor_probe_find_with(place->view, subject.directory, attribute);

        if (dn != NULL)
            apw_doctor_wrongs_add(place->wrongs, attribute, &rule,
                                  "anonymous can find users with %s: %s", attribute, dn);
        free(dn);
    }
    if (place->wrongs->count == before)
        apw_diagnosis_good(place->view->diagnosis, "rights",
                           "anonymous cannot find any of the five attributes");
    apw_directory_free(&subject.directory);
}

/* Those that each user has must be readable on any user; of the others, those that somebody has. */
static void check_account_attributes(const struct apw_doctor_place *place,
                                     const struct apw_doctor_subject *subject)
{
    const struct apw_doctor_view *view = place->view;
    const char *const *name = apw_directory_traits(view->type)->account_attributes;
    const struct apw_doctor_rule rule = {.dn = subject->dn, .right = "read"};

    for (size_t i = 0; *name == NULL && i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        apw_doctor_probe_reading(place, subject, apw_account_state_attributes[i]);
    for (; *name != NULL && view->sample != NULL; name++) {
        if (apw_doctor_probe_can_read(view, view->directory, view->sample, *name))
            apw_diagnosis_good(view->diagnosis, "rights", "the mail server can read %s", *name);
        else
            apw_doctor_wrongs_add(place->wrongs, *name, &rule,
                                  "the mail server cannot read %s of %s: all logins of such users "
                                  "end in \"unavailable\"",
                                  *name, view->sample);
    }
}

/* With revoke_on_password_change, in the users' directory. */
static void check_password_change(const struct apw_doctor_place *place,
                                  const struct apw_doctor_subject *subject)
{
    const struct apw_doctor_view *view = place->view;

    if (!view->config->revoke_on_password_change || apw_doctor_view_is_store(view))
        return;
    for (size_t i = 0; i < APW_PASSWORD_CHANGE_ATTRIBUTES; i++)
        apw_doctor_probe_reading(place, subject, apw_password_change_attributes[i]);
}

/* With watch_interval, app-password-watch searches for entries that have changed. */
static void check_watching(const struct apw_doctor_place *place,
                           const struct apw_doctor_subject *subject)
{
    const struct apw_doctor_view *view = place->view;
    bool is_ad = view->type == APW_DIRECTORY_ACTIVE_DIRECTORY;
    const char *attribute = is_ad ? "whenChanged" : "modifyTimestamp";
    const struct apw_doctor_rule rule = {.dn = subject->dn, .right = "read"};
    char filter[64], *dn, *any;

    if (view->config->watch_interval_s == 0)
        return;
    any = apw_doctor_view_find(view, view->directory, "(objectClass=*)");
    if (any == NULL)
        return; /* a new store */
    free(any);
    snprintf(filter, sizeof filter, "(%s>=19700101000000%s)", attribute,
             apw_directory_traits(view->type)->utc);
    dn = apw_doctor_view_find(view, view->directory, filter);
    if (dn != NULL)
        apw_diagnosis_good(view->diagnosis, "rights", "the mail server can search by %s",
                           attribute);
    else
        apw_doctor_wrongs_add(place->wrongs, attribute, &rule,
                              "the mail server cannot search by %s: app-password-watch notices "
                              "changes only when the user's turn comes",
                              attribute);
    free(dn);
}

static void check_reading(const struct apw_doctor_place *place)
{
    static const char *const read[] = {"appPassword", "appPasswordMfaEnforceFrom",
                                       "appPasswordUsed"};
    const struct apw_doctor_view *view = place->view;
    const struct apw_doctor_subject subject = mail_server(view);
    bool has_ours = apw_doctor_view_is_holder(view);

    for (size_t i = 0; has_ours && i < sizeof read / sizeof read[0]; i++)
        apw_doctor_probe_reading(place, &subject, read[i]);
    check_account_attributes(place, &subject);
    check_password_change(place, &subject);
    check_watching(place, &subject);
    for (size_t i = 0; i < view->names.count; i++)
        apw_doctor_probe_reading(place, &subject, view->names.name[i]);
    if (has_ours)
        check_anonymous(place);
}

/* ---- a user ---- */

/* The attributes that decide who somebody is, and whether MFA is on or the account has ended. */
static void list_decisive(const struct apw_doctor_view *view, struct apw_doctor_names *names_r)
{
    const struct apw_config *config = view->config;

    *names_r = view->names;
    if (!config->store.has_mfa) {
        apw_doctor_names_add_filter(names_r, config->mfa_filter);
        if (config->mfa_off_filter != NULL)
            apw_doctor_names_add_filter(names_r, config->mfa_off_filter);
    }
    if (config->disabled_filter != NULL)
        apw_doctor_names_add_filter(names_r, config->disabled_filter);
}

static void check_users_reading(const struct apw_doctor_place *place,
                                const struct apw_doctor_subject *subject, const char *attribute)
{
    if (apw_doctor_probe_can_read(place->view, subject->directory, subject->entry, attribute))
        apw_doctor_wrongs_add(place->wrongs, attribute, NULL, "%s can read %s", subject->name,
                              attribute);
    else
        apw_diagnosis_good(place->view->diagnosis, "rights", "%s cannot read %s", subject->name,
                           attribute);
}

static void check_as_user(const struct apw_doctor_place *place,
                          const struct apw_doctor_subject *user)
{
    struct apw_doctor_names names;
    bool has_ours = apw_doctor_view_is_holder(place->view);

    list_decisive(place->view, &names);
    apw_doctor_names_add(&names, "objectClass");
    for (size_t i = 0; has_ours && i < APW_DOCTOR_SCHEMA_ATTRIBUTES; i++)
        apw_doctor_names_add(&names, apw_doctor_schema_attributes[i].name);
    for (size_t i = 0; i < names.count; i++)
        apw_doctor_probe_writing(place, user, names.name[i], APW_DOCTOR_RIGHT_NO);
    if (!has_ours)
        return;
    check_users_reading(place, user, "appPassword");
    check_users_reading(place, user, "appPasswordMfaMethod");
}

static void check_user(const struct apw_doctor_place *place)
{
    const struct apw_identity identity = {.method = APW_BIND_SIMPLE,
                                          .dn = (char *)place->as_dn,
                                          .password = (char *)place->as_password};
    struct apw_doctor_subject user = {.name = "the user",
                                      .dn = place->as_dn,
                                      .entry = place->as_dn,
                                      .is_fixed_by_our_rules = true};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};

    if (apw_doctor_view_connect(place->view, &place->alone, &identity, &user.directory, &error) !=
            0 ||
        apw_doctor_view_read(place->view, user.directory, place->as_dn, NULL, &entry, &error) !=
            APW_LDAP_OK)
        apw_diagnosis_unknown(place->view->diagnosis, "--as", "%s", error.text);
    else
        check_as_user(place, &user);
    apw_entries_free(&entry);
    apw_directory_free(&user.directory);
}

/* ---- each server ---- */

/* With a store, nobody needs to write in the directory of the users: not even whether its servers
 * take changes matters. */
static void check_nobody_writes(const struct apw_doctor_place *place)
{
    const struct apw_doctor_view *view = place->view;
    const struct apw_doctor_subject subject = mail_server(view);
    struct apw_doctor_names names;
    struct apw_error error = {""};

    if (view->sample == NULL)
        return;
    if (apw_doctor_probe_delete(view, &subject, view->names.name[0], apw_doctor_probe_improbable,
                                &error) == APW_DOCTOR_RIGHT_NOT_HERE) {
        apw_diagnosis_note(view->diagnosis, "rights",
                           "this server takes no changes, so who may write is not checked");
        return;
    }
    list_decisive(view, &names);
    for (size_t i = 0; i < names.count; i++)
        apw_doctor_probe_writing(place, &subject, names.name[i], APW_DOCTOR_RIGHT_NO);
    if (place->as_password != NULL)
        check_user(place);
}

/* Returns false if the server takes no changes. */
static bool check_all_writing(const struct apw_doctor_place *place)
{
    const struct apw_doctor_view *view = place->view;
    struct apw_doctor_subject subject = mail_server(view);

    if (!apw_doctor_view_is_holder(view)) {
        check_nobody_writes(place);
        return true;
    }
    if (view->sample != NULL && !check_writing_as_mail_server(place, &subject))
        return false;
    if (view->sample != NULL && view->manager != NULL)
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
    bool is_answer =
        apw_doctor_view_read(view, view->directory, view->base, NULL, &base, &error) == APW_LDAP_OK;

    apw_entries_free(&base);
    return is_answer;
}

/* Returns whether the server takes changes, or true if it need not. */
static bool check_place(const struct apw_doctor_place *place)
{
    const struct apw_doctor_view *view = place->view;
    bool is_store = apw_doctor_view_is_store(view);
    bool takes_changes = true;

    apw_doctor_wrongs_start(view, place->wrongs);
    if (is_in(view->uris, place->alone.uri[0])) {
        if (is_store)
            apw_doctor_store_rights_check_reading(place);
        else
            check_reading(place);
    }
    if (is_in(view->write_uris, place->alone.uri[0]))
        takes_changes =
            is_store ? apw_doctor_store_rights_check_writing(place) : check_all_writing(place);
    apw_doctor_wrongs_report(view, place->wrongs);
    return takes_changes;
}

static void check_servers(const struct apw_doctor_view *view, struct apw_doctor_place *place)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    char *uris[2 * APW_URIS_MAX];
    size_t count = apw_uris_unite(view->uris, view->write_uris, uris);
    unsigned replicas = 0;

    for (size_t i = 0; i < count; i++) {
        struct apw_doctor_view one = *view;
        struct apw_error error = {""};

        one.directory = NULL;
        place->view = &one;
        place->alone = (struct apw_uris){.count = 1, .uri = {uris[i]}};
        diagnosis->server = uris[i];
        if (apw_doctor_view_connect(view, &place->alone, view->identity, &one.directory, &error) ==
                0 &&
            answers(&one) && !check_place(place))
            replicas++;
        apw_directory_free(&one.directory);
    }
    diagnosis->server = NULL;
    if (replicas == view->write_uris->count) {
        apw_diagnosis_unknown(diagnosis, "rights",
                              "cannot tell who may write: no server of %swrite_uri takes changes",
                              view->prefix);
        apw_diagnosis_fix(diagnosis, "%swrite_uri URI   # of a server that takes changes",
                          view->prefix);
    }
}

/* Says what could not be tested. */
static void report_gaps(const struct apw_doctor_view *view)
{
    if (view->sample == NULL && apw_doctor_view_is_store(view)) {
        apw_diagnosis_note(view->diagnosis, "rights",
                           "the store has no entries yet, so the rights there are not checked");
    } else if (view->sample == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "no user below %s to test them on",
                              view->base);
        apw_diagnosis_fix(view->diagnosis, "base and filter of %s must find your users",
                          view->config->path);
    } else if (view->manager == NULL && apw_doctor_view_is_holder(view)) {
        apw_diagnosis_note(view->diagnosis, "rights",
                           "no administrator here (admin.conf, -D, -Y), so the administrator's "
                           "rights are not checked");
    }
}

void apw_doctor_rights_check(const struct apw_doctor_view *view, const char *as_dn,
                             const char *as_password)
{
    struct apw_doctor_place place = {
        .as_dn = as_dn, .as_password = as_password, .wrongs = malloc(sizeof *place.wrongs)};

    if (place.wrongs == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "rights", "out of memory");
        return;
    }
    check_servers(view, &place);
    free(place.wrongs);
    report_gaps(view);
}
