/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/mfa.h"
#include "doctor/dialect.h"
#include "doctor/flags.h"
#include "ldap/filter.h"
#include "ldap/filter_tree.h"
#include "ldap/schema.h"
#include "mfa_rule.h"
#include "mfa_switch.h"
#include "session.h"
#include "shown.h"
#include "store.h"
#include "verify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SAMPLE_SIZE 50

struct sample {
    const struct apw_doctor_view *view;
    unsigned on, off, unreadable;
    char unreadable_dn[256]; /* one of them */
    unsigned seen;
};

/* The directory that mfa_filter is asked in. */
static const struct apw_doctor_view *mfa_view(const struct apw_doctor_view *view)
{
    return view->config->store.has_mfa ? view->holder : view;
}

static enum apw_mfa read_subject(const struct apw_doctor_view *view,
                                 const struct apw_mfa_subject *subject, struct apw_error *error)
{
    struct apw_world world = apw_world_of(view->directory);
    struct apw_world store = apw_world_of(view->holder->directory);

    world.store = &store;
    return apw_mfa_read(&world, view->config, subject, false, apw_doctor_view_deadline(view),
                        error);
}

/* Of an entry of the directory that mfa_filter is asked in. */
static enum apw_mfa read_mfa(const struct apw_doctor_view *view, const char *dn,
                             struct apw_error *error)
{
    return read_subject(view, &(struct apw_mfa_subject){.dn = dn, .stored_dn = dn}, error);
}

/* Of a user, whose entry in the store has the answer; false if other checks say what is wrong: the
 * user has no id, or the entry does not say whether MFA is on. */
static bool read_stored_mfa(const struct apw_doctor_view *view, const struct apw_entry *entry,
                            enum apw_mfa *mfa_r)
{
    struct apw_world store = apw_world_of(view->holder->directory);
    struct apw_entry *stored = NULL;
    char id[APW_STORE_ID_SIZE];
    struct apw_mfa_subject subject = {.dn = entry->dn, .id = id};
    struct apw_error error = {""};
    bool is_ours = true;

    *mfa_r = APW_MFA_UNAVAILABLE;
    if (apw_store_read_id(view->config, entry, id, &error) != 0)
        return false;
    if (apw_store_find(&store, view->config, id, apw_search_no_attributes,
                       apw_doctor_view_deadline(view), &stored, &error) != APW_LDAP_OK)
        return true;
    subject.stored_dn = stored != NULL ? stored->dn : NULL;
    *mfa_r = read_subject(view, &subject, &error);
    if (*mfa_r == APW_MFA_UNREADABLE && stored != NULL)
        is_ours = !apw_doctor_flags_is_missing(view->holder, stored->dn);
    apw_entries_free(&stored);
    return is_ours;
}

static int sample_entry(void *context, const struct apw_entry *entry)
{
    struct sample *sample = context;
    const struct apw_doctor_view *view = sample->view;
    struct apw_error error = {""};
    enum apw_mfa mfa;

    if (!view->config->store.has_mfa)
        mfa = read_mfa(view, entry->dn, &error);
    else if (!read_stored_mfa(view, entry, &mfa))
        return 0;
    switch (mfa) {
    case APW_MFA_ON:
        sample->on++;
        break;
    case APW_MFA_OFF:
        sample->off++;
        break;
    case APW_MFA_UNREADABLE:
    case APW_MFA_UNAVAILABLE:
        sample->unreadable++;
        snprintf(sample->unreadable_dn, sizeof sample->unreadable_dn, "%s", entry->dn);
        break;
    }
    return ++sample->seen == SAMPLE_SIZE ? -1 : 0;
}

/* The mail server must be permitted to search by all that mfa_filter reads. */
static void fix_searching(const struct apw_doctor_view *users)
{
    const struct apw_doctor_view *view = mfa_view(users);
    enum apw_doctor_dialect dialect = apw_doctor_dialect_find(view, view->directory);
    struct apw_doctor_names names = {.count = 0};

    apw_diagnosis_fix(view->diagnosis,
                      "# first load the schema on every server, and fix what mfa_filter "
                      "and mfa_witness report below");
    apw_doctor_names_add_filter(&names, view->config->mfa_filter);
    for (size_t i = 0; i < names.count; i++) {
        const struct apw_doctor_rule rule = {.attribute = names.name[i],
                                             .dn = apw_doctor_view_dn(view->identity),
                                             .right = "search"};

        apw_doctor_dialect_fix_rule(view, dialect, &rule);
    }
}

/* A site that uses our own attribute may be new, if the administrator sees nobody with MFA either.
 */
static bool is_new_site(const struct apw_doctor_view *view)
{
    char *dn = NULL;

    if (view->session == NULL || strcmp(view->config->mfa_filter, APW_MFA_RULE_DEFAULT) != 0)
        return false;
    dn = apw_doctor_view_find(mfa_view(view), mfa_view(view)->managed, view->config->mfa_filter);
    free(dn);
    return dn == NULL;
}

/* Whether the mail server finds anybody else with MFA: of many users, the first may have none. */
static bool is_on_for_others(const struct apw_doctor_view *view, unsigned seen)
{
    const char *witness = view->config->mfa_witness;
    char *dn =
        apw_doctor_view_find(mfa_view(view), mfa_view(view)->directory, view->config->mfa_filter);
    bool is_found = dn != NULL && (witness == NULL || strcasecmp(dn, witness) != 0);

    if (is_found)
        apw_diagnosis_good(view->diagnosis, "mfa_filter",
                           "MFA is on for none of the first %u users, and for others such as %s",
                           seen, dn);
    free(dn);
    return is_found;
}

static void report_nobody(const struct apw_doctor_view *view, unsigned seen)
{
    if (is_on_for_others(view, seen))
        return;
    if (is_new_site(view)) {
        apw_diagnosis_note(view->diagnosis, "mfa_filter",
                           "MFA is on for nobody yet; app-password mfa on turns it on");
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "mfa_filter",
                          "MFA is on for none of the first %u users: nobody has it yet, or %s "
                          "does not match the right users",
                          seen, view->config->mfa_filter);
    apw_diagnosis_fix(view->diagnosis,
                      "app-password mfa on LOGIN, then app-password doctor --mfa-user LOGIN");
}

static void judge_sample(const struct apw_doctor_view *view, const struct sample *sample)
{
    const char *off = view->config->mfa_off_filter;
    struct apw_error error = {""};

    if (sample->unreadable == 0 && sample->seen > 0 && sample->on == 0) {
        report_nobody(view, sample->seen);
        return;
    }
    if (sample->unreadable == 0) {
        apw_diagnosis_good(view->diagnosis, "mfa_filter",
                           "of the first %u users, MFA is on for %u and off for %u", sample->seen,
                           sample->on, sample->off);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "mfa_filter",
                          "neither %s nor %s matches for %u of %u users, for example %s: logins "
                          "with their account passwords end in \"unavailable\"",
                          view->config->mfa_filter, off != NULL ? off : "its negation",
                          sample->unreadable, sample->seen, sample->unreadable_dn);
    if (!view->config->store.has_mfa && off != NULL &&
        apw_mfa_switch_check(view->config, &error) == 0)
        apw_diagnosis_fix(
            view->diagnosis,
            "app-password mfa off LOGIN   # only if nobody has said whether MFA is on for "
            "that user; mfa off --filter '(!(appPasswordMfaEnabled=*))' for all such. Never for "
            "one whose value is hidden");
    fix_searching(view);
}

/* The DNs that a filter compares, such as groups: a mistyped one matches nobody. */
static void check_names_in(const struct apw_doctor_view *view, const char *key, const char *filter)
{
    for (const char *at = strchr(filter, '='); at != NULL; at = strchr(at, '=')) {
        size_t length = strcspn(++at, ")");
        char *dn = strndup(at, length);
        struct apw_entry *entry = NULL;
        struct apw_error error = {""};

        at += length;
        if (dn != NULL && strchr(dn, ',') != NULL && apw_schema_is_dn(dn)) {
            if (apw_doctor_view_read(view, view->directory, dn, NULL, &entry, &error) ==
                    APW_LDAP_OK &&
                entry != NULL) {
                apw_diagnosis_good(view->diagnosis, key, "%s exists", dn);
            } else {
                apw_diagnosis_problem(view->diagnosis, key,
                                      "the mail server sees no entry %s: it does not exist, was "
                                      "renamed, or is hidden",
                                      dn);
                apw_diagnosis_fix(view->diagnosis,
                                  "correct the DN in %s, or permit %s to read that entry", key,
                                  apw_doctor_view_dn(view->identity));
            }
        }
        apw_entries_free(&entry);
        free(dn);
    }
}

/* With `name` "mfa": mfa_witness must match each part of mfa_filter. */
static void check_witness(const struct apw_doctor_view *view, const char *name, const char *filter,
                          const char *witness)
{
    struct apw_world world = apw_world_of(view->directory);
    char *all = apw_filter_tree_match_all(filter);
    const struct apw_shown_question question = {.name = name, .filter = all};
    struct apw_error error = {""};
    char key[32];

    snprintf(key, sizeof key, "%s_witness", name);
    if (all == NULL)
        apw_error_set(&error, "out of memory");
    if (all != NULL && apw_shown_read(&world, &question, witness, true,
                                      apw_doctor_view_deadline(view), &error) == APW_SHOWN_ON) {
        apw_diagnosis_good(view->diagnosis, key, "%s matches %s_filter", witness, name);
    } else {
        apw_diagnosis_problem(view->diagnosis, key,
                              "%s does not match %s, so logins that depend on it are temporarily "
                              "unavailable%s%s",
                              witness, all != NULL ? all : filter,
                              error.text[0] != '\0' ? ": " : "", error.text);
        apw_diagnosis_fix(view->diagnosis, "%smake the witness match %s",
                          view->config->store.is_mfa_off_by_default
                              ? "if the store has lost its entries, restore its backup and do not "
                                "add the witness; otherwise "
                              : "",
                          all != NULL ? all : filter);
    }
    free(all);
}

/* MFA must be on for the mail server if it is for the administrator. An LDAP proxy that drops the
 * attributes of mfa_filter answers it and its negation as if MFA were off for everybody. */
static void compare_with_administrator(const struct apw_doctor_view *view)
{
    struct apw_error error = {""};
    char *dn = view->session == NULL ? NULL
                                     : apw_doctor_view_find(mfa_view(view), mfa_view(view)->managed,
                                                            view->config->mfa_filter);

    if (dn != NULL && read_mfa(view, dn, &error) == APW_MFA_OFF) {
        apw_diagnosis_problem(view->diagnosis, "mfa_filter",
                              "the administrator sees that MFA is on for %s, but the mail server "
                              "reads it as off, and the account password opens mail: does uri name "
                              "an LDAP proxy that drops attributes, or a stale replica?",
                              dn);
        apw_diagnosis_fix(view->diagnosis,
                          "pass the attributes of mfa_filter through that proxy, and write "
                          "\"mfa_witness uid=mfa-witness,%s\", an entry for which MFA is always on",
                          mfa_view(view)->base);
    }
    free(dn);
}

/* Matching mfa_off_filter must say that MFA is off: it decides where mfa_filter's attribute is
 * hidden from the mail server, unless mfa_witness shows that it is hidden everywhere. */
static void check_both(const struct apw_doctor_view *view)
{
    const struct apw_config *config = view->config;
    char *both = NULL, *dn;

    if (config->mfa_off_filter == NULL ||
        (config->mfa_witness != NULL &&
         !apw_directory_traits(mfa_view(view)->type)->hides_per_entry))
        return;
    if (asprintf(&both, "(&%s%s)", config->mfa_filter, config->mfa_off_filter) < 0) {
        apw_diagnosis_unknown(view->diagnosis, "mfa_off_filter", "out of memory");
        return;
    }
    dn = apw_doctor_view_find(mfa_view(view), mfa_view(view)->directory, both);
    if (dn != NULL) {
        apw_diagnosis_problem(
            view->diagnosis, "mfa_off_filter",
            "%s also matches users for whom MFA is on, for example %s: where what "
            "mfa_filter reads is hidden, their account passwords open mail",
            config->mfa_off_filter, dn);
        apw_diagnosis_fix(view->diagnosis,
                          "let mfa_off_filter compare an attribute that only users with MFA off "
                          "have, like (appPasswordMfaEnabled=FALSE), or correct these entries");
    }
    free(dn);
    free(both);
}

/* "report" is for the time before enforcement, and is easily left in. A problem even then: nothing
 * here shows whether that time is over. */
static void check_enforcement(const struct apw_doctor_view *view)
{
    const struct apw_config *config = view->config;

    if (config->mfa_enforcement != APW_MFA_REPORT ||
        config->account_password == APW_ACCOUNT_PASSWORD_NEVER)
        return;
    apw_diagnosis_problem(view->diagnosis, "mfa_enforcement",
                          "%s has mfa_enforcement report: the account passwords of users with MFA "
                          "still open mail. This is right only until MFA is enforced",
                          config->path);
    apw_diagnosis_fix(view->diagnosis,
                      "mfa_enforcement enforce   # at the end of the rollout, once "
                      "app-password report --would-refuse names nobody");
}

void apw_doctor_mfa_check(const struct apw_doctor_view *view)
{
    const struct apw_config *config = view->config;
    const char *const wanted[] = {config->store.has_mfa ? config->store.id_attribute->name : "1.1",
                                  NULL};
    struct sample sample = {.view = view};
    struct apw_error error = {"out of memory"};
    char *filter = apw_filter_expand_any(config->filter);
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = filter, .attributes = wanted};

    if (filter == NULL || apw_directory_search_each(view->directory, &query, APW_DIRECTORY_PAGE_MS,
                                                    sample_entry, &sample, &error) != APW_LDAP_OK)
        apw_diagnosis_unknown(view->diagnosis, "mfa_filter", "%s", error.text);
    else
        judge_sample(view, &sample);
    free(filter);
    check_enforcement(view);
    compare_with_administrator(view);
    check_names_in(mfa_view(view), "mfa_filter", config->mfa_filter);
    if (config->mfa_off_filter != NULL)
        check_names_in(mfa_view(view), "mfa_off_filter", config->mfa_off_filter);
    check_both(view);
    if (config->mfa_witness != NULL)
        check_witness(mfa_view(view), "mfa", config->mfa_filter, config->mfa_witness);
    if (config->disabled_filter != NULL) {
        check_names_in(view, "disabled_filter", config->disabled_filter);
        check_witness(view, "disabled", config->disabled_filter, config->disabled_witness);
    }
}

/* If MFA is on, is the account password really refused? */
static void judge_enforcement(const struct apw_doctor_view *view, const char *login,
                              const struct apw_user *user)
{
    const struct apw_config *config = view->config;

    if (config->account_password != APW_ACCOUNT_PASSWORD_NEVER &&
        config->mfa_enforcement == APW_MFA_REPORT) {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user",
                              "the account password of %s still opens mail: mfa_enforcement is "
                              "report",
                              login);
        apw_diagnosis_fix(view->diagnosis, "mfa_enforcement enforce");
    } else if (config->account_password != APW_ACCOUNT_PASSWORD_NEVER && user->has_enforce_from &&
               user->is_enforce_from_readable && user->enforce_from > (int64_t)time(NULL)) {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user",
                              "the account password of %s still opens mail: MFA is only announced",
                              login);
        apw_diagnosis_fix(view->diagnosis, "app-password mfa on %s --now", login);
    } else if (config->account_password_from.count > 0) {
        apw_diagnosis_good(view->diagnosis, "--mfa-user",
                           "MFA is on for %s; the account password opens mail from "
                           "account_password_from only",
                           login);
    } else {
        apw_diagnosis_good(view->diagnosis, "--mfa-user", "%s has MFA on", login);
    }
}

void apw_doctor_mfa_check_user(const struct apw_doctor_view *view, const char *login)
{
    const struct apw_manager manager = apw_doctor_view_manager(view);
    const struct apw_target target = {.login = login};
    struct apw_error error = {""};
    struct apw_user *user = NULL;
    enum apw_mfa mfa = APW_MFA_UNREADABLE;

    if (apw_user_find(&manager, &target, &user, &error) != APW_MANAGE_DONE) {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user", "%s: %s", login, error.text);
        apw_diagnosis_fix(view->diagnosis, "name a user that filter and base find");
    } else if (apw_user_mfa(&manager, user, &mfa, &error) == APW_MANAGE_DONE && mfa == APW_MFA_ON) {
        judge_enforcement(view, login, user);
    } else {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user", "%s does not match mfa_filter %s%s%s",
                              login, view->config->mfa_filter, error.text[0] != '\0' ? ": " : "",
                              error.text);
        apw_diagnosis_fix(view->diagnosis,
                          "app-password mfa on %s   # or change what your own mfa_filter reads",
                          login);
    }
    apw_user_free(&user);
}
