/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/flags.h"
#include "doctor/dialect.h"
#include <stdio.h>

#define FLAGLESS "(&(appPasswordOwner=*)(!(appPasswordMfaEnabled=*)))"

struct flagless {
    size_t count;
    char dn[256]; /* of one of them */
    char name[256];
};

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct flagless *flagless = context;
    const struct apw_attribute *uid = apw_entry_attribute(entry, "uid");

    if (flagless->count++ > 0)
        return 0;
    snprintf(flagless->dn, sizeof flagless->dn, "%s", entry->dn);
    snprintf(flagless->name, sizeof flagless->name, "%s",
             uid != NULL && uid->count > 0 ? uid->value[0].bytes : "LOGIN");
    return 0;
}

bool apw_doctor_flags_is_missing(const struct apw_doctor_view *view, const char *dn)
{
    return apw_doctor_view_matches(view, apw_doctor_view_best(view), dn, FLAGLESS);
}

/* Without an entry MFA is off, if the witness names id_attribute. */
static void check_default(const struct apw_doctor_view *view)
{
    const char *id = view->config->store.id_attribute->name;
    const char *witness = view->config->mfa_witness;
    char filter[128];

    snprintf(filter, sizeof filter, "(description=%s)", id);
    if (!apw_doctor_view_matches(view, view->directory, witness, filter)) {
        apw_diagnosis_problem(view->diagnosis, "store_mfa_default",
                              "the mail server does not see the description %s, which is "
                              "id_attribute, of %s: logins of users without an entry are "
                              "unavailable (mfa-unreadable)",
                              id, witness);
        apw_diagnosis_fix(
            view->diagnosis,
            "if the store has lost its entries, restore its backup and do not add the "
            "witness; otherwise correct that entry: \"description: %s\"",
            id);
    } else if (view->sample == NULL) {
        apw_diagnosis_note(view->diagnosis, "store_mfa_default",
                           "the store has no entries, so MFA is off for everybody");
    }
}

static void report_missing(const struct apw_doctor_view *view, const struct flagless *flagless)
{
    char name[512];

    apw_diagnosis_problem(view->diagnosis, "store_mfa",
                          "%zu entries of the store do not say whether MFA is on, for example %s: "
                          "logins with these users' account passwords are unavailable "
                          "(mfa-unreadable)",
                          flagless->count, flagless->dn);
    apw_diagnosis_quote(flagless->name, name, sizeof name);
    apw_diagnosis_fix(view->diagnosis, "app-password mfa on %s   # or mfa off", name);
}

void apw_doctor_flags_check(const struct apw_doctor_view *view)
{
    static const char *const wanted[] = {"uid", NULL};
    const struct apw_query query = {
        .base = view->base, .scope = view->scope, .filter = FLAGLESS, .attributes = wanted};
    struct flagless flagless = {.count = 0};
    struct apw_error error = {""};

    if (!view->config->store.has_mfa)
        return;
    if (view->config->store.is_mfa_off_by_default)
        check_default(view);
    if (apw_directory_search_each(apw_doctor_view_best(view), &query, APW_DIRECTORY_PAGE_MS,
                                  look_at_entry, &flagless, &error) != APW_LDAP_OK) {
        apw_diagnosis_unknown(view->diagnosis, "store_mfa", "%s", error.text);
        apw_doctor_dialect_fix_limit(view);
    } else if (flagless.count > 0) {
        report_missing(view, &flagless);
    } else {
        apw_diagnosis_good(view->diagnosis, "store_mfa", "each entry says whether MFA is on");
    }
}
