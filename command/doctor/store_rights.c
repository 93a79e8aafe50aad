/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/store_rights.h"
#include "doctor/portal.h"
#include "store.h"
#include <stdlib.h>
#include <string.h>

#define NAME_LENGTH 1024 /* back-mdb stores half of that */

enum who { MAIL_SERVER, PORTAL, ADMINISTRATOR, WHO_COUNT };
static const char *const names[] = {"the mail server", "the portal", "the administrator"};

/* What each may write, and must read. The administrator may write the rest, too, but need not. */
static const struct row {
    const char *attribute;
    enum apw_doctor_right writes[WHO_COUNT]; /* UNKNOWN: both will do */
    bool reads[WHO_COUNT];
} table[] = {
#define YES  APW_DOCTOR_RIGHT_YES
#define NO   APW_DOCTOR_RIGHT_NO
#define BOTH APW_DOCTOR_RIGHT_UNKNOWN
    {"appPasswordUsed", {YES, YES, YES}, {true, true, true}},
    {"appPassword", {NO, YES, YES}, {true, true, true}},
    {"appPasswordMfaEnforceFrom", {NO, NO, YES}, {true, true, true}},
    {"appPasswordMfaEnabled", {NO, NO, YES}, {false, false, true}},
    {"appPasswordMfaMethod", {NO, YES, YES}, {false, true, true}},
    {"appPasswordOrphanSince", {NO, NO, YES}, {false, false, true}},
    {"appPasswordOwner", {NO, NO, BOTH}, {true, true, true}},
    {"uid", {NO, NO, BOTH}, {false, false, true}},
    {"objectClass", {NO, NO, BOTH}, {true, true, true}},
#undef YES
#undef NO
#undef BOTH
};
#define ROWS (sizeof table / sizeof table[0])

/* An entry of portal.conf, if this host has it and may read it. */
static bool find_identity(const struct apw_doctor_view *view, enum who who,
                          struct apw_identity *portal, const struct apw_identity **identity_r)
{
    switch (who) {
    case MAIL_SERVER:
        *identity_r = view->identity;
        break;
    case PORTAL:
        *identity_r =
            apw_doctor_portal_read_store_identity(view->config->path, portal) ? portal : NULL;
        break;
    case ADMINISTRATOR:
    case WHO_COUNT:
        *identity_r = view->manager;
        break;
    }
    return *identity_r != NULL;
}

/* Only what an entry has can be read. */
static void check_reading_as(const struct apw_doctor_place *place, enum who who,
                             const struct apw_doctor_subject *subject)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].reads[who] && who != ADMINISTRATOR)
            apw_doctor_probe_reading(place, subject, table[i].attribute);
}

/* Whether the subject may add entries, by adding one whose name is too long for slapd to store: it
 * asks the rules first. Other servers might store it. */
static void check_adding_as(const struct apw_doctor_place *place, enum who who,
                            const struct apw_doctor_subject *subject)
{
    bool should_have = who != MAIL_SERVER, has;
    const struct apw_doctor_rule rule = {
        .dn = subject->dn, .right = should_have ? "write" : "none", .is_denial = !should_have};
    char owner[NAME_LENGTH + 1] = "";
    const struct apw_change changes[] = {{APW_CHANGE_ADD, "objectClass", "appPasswordEntry"},
                                         {APW_CHANGE_ADD, "appPasswordOwner", owner}};
    struct apw_error error = {""};
    enum apw_ldap_result result;
    char *dn;

    if (place->wrongs->dialect == APW_DOCTOR_DIALECT_389)
        return;
    memset(owner, 'x', NAME_LENGTH);
    dn = apw_store_dn(place->view->config, owner);
    if (dn == NULL)
        return;
    result = apw_directory_add(subject->directory, dn, changes, 2,
                               apw_doctor_view_deadline(place->view), &error);
    free(dn);
    has = result == APW_LDAP_REFUSED || result == APW_LDAP_OK;
    if (!has && result != APW_LDAP_NOT_PERMITTED)
        apw_diagnosis_unknown(place->view->diagnosis, "rights",
                              "cannot tell whether %s may add entries: %s", subject->name,
                              error.text);
    else if (has == should_have)
        apw_diagnosis_good(place->view->diagnosis, "rights", "%s %s add entries", subject->name,
                           has ? "may" : "may not");
    else
        apw_doctor_wrongs_add(place->wrongs, "children",
                              subject->is_fixed_by_our_rules ? NULL : &rule, "%s %s add entries",
                              subject->name, has ? "may" : "may not");
}

/* The first row, which everybody may write, shows whether the server takes changes. */
static bool check_writing_as(const struct apw_doctor_place *place, enum who who,
                             struct apw_doctor_subject *subject)
{
    struct apw_error error = {""};
    enum apw_doctor_right used = apw_doctor_probe_delete(place->view, subject, table[0].attribute,
                                                         apw_doctor_probe_improbable, &error);

    if (used == APW_DOCTOR_RIGHT_NOT_HERE)
        return false;
    if (used == APW_DOCTOR_RIGHT_YES)
        subject->undone_by = table[0].attribute;
    if (who != MAIL_SERVER || place->view->config->record_use_s > 0)
        apw_doctor_probe_judge(place, subject, table[0].attribute, used, table[0].writes[who],
                               &error);
    for (size_t i = 1; i < ROWS; i++)
        if (table[i].writes[who] != APW_DOCTOR_RIGHT_UNKNOWN)
            apw_doctor_probe_writing(place, subject, table[i].attribute, table[i].writes[who]);
    check_adding_as(place, who, subject);
    return true;
}

/* Calls with each identity that this host knows. Returns false if a call did. */
static bool check_each(const struct apw_doctor_place *place, bool is_writing)
{
    bool is_good = true;

    for (enum who who = MAIL_SERVER; who < WHO_COUNT && is_good; who++) {
        struct apw_identity portal = {.dn = NULL};
        const struct apw_identity *identity;
        struct apw_doctor_subject subject = {.name = names[who],
                                             .entry = place->view->sample,
                                             .is_fixed_by_our_rules = who == PORTAL};

        if (find_identity(place->view, who, &portal, &identity) &&
            apw_doctor_probe_connect(place, identity, &subject) == 0) {
            subject.dn = apw_doctor_view_dn(identity);
            if (is_writing)
                is_good = check_writing_as(place, who, &subject);
            else
                check_reading_as(place, who, &subject);
        }
        apw_directory_free(&subject.directory);
        apw_identity_wipe(&portal);
    }
    return is_good;
}

/* Not even that an entry exists. */
static void check_anonymous(const struct apw_doctor_place *place)
{
    static const struct apw_identity anonymous = {.method = APW_BIND_ANONYMOUS};
    static const struct apw_doctor_rule rule = {.right = "none", .is_denial = true};
    struct apw_doctor_subject subject = {.name = "anonymous"};
    unsigned before = place->wrongs->count;

    if (apw_doctor_probe_connect(place, &anonymous, &subject) != 0)
        return;
    for (size_t i = 0; i < ROWS; i++) {
        char *dn = apw_doctor_probe_find_with(place->view, subject.directory, table[i].attribute);

        if (dn != NULL)
            apw_doctor_wrongs_add(place->wrongs, table[i].attribute, &rule,
                                  "anonymous can find entries of the store by %s: %s",
                                  table[i].attribute, dn);
        free(dn);
    }
    if (place->wrongs->count == before)
        apw_diagnosis_good(place->view->diagnosis, "rights",
                           "anonymous cannot find any entry of the store");
    apw_directory_free(&subject.directory);
}

void apw_doctor_store_rights_check_reading(const struct apw_doctor_place *place)
{
    if (place->view->sample != NULL)
        check_each(place, false);
    check_anonymous(place);
}

bool apw_doctor_store_rights_check_writing(const struct apw_doctor_place *place)
{
    return place->view->sample == NULL || check_each(place, true);
}
