/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/mfa.h"
#include "verify.h"
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SIZE 50

struct sample {
    const struct apw_doctor_view *view;
    unsigned on, off, unreadable;
    char unreadable_dn[256]; /* one of them */
    unsigned seen;
};

static enum apw_mfa read_mfa(const struct apw_doctor_view *view, const char *dn,
                             struct apw_error *error)
{
    struct apw_world world = apw_world_of(view->directory);

    return apw_mfa_read(&world, view->config->mfa_filter, dn, false, apw_doctor_view_deadline(view),
                        error);
}

static int sample_entry(void *context, const struct apw_entry *entry)
{
    struct sample *sample = context;
    struct apw_error error = {""};

    switch (read_mfa(sample->view, entry->dn, &error)) {
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

static void judge_sample(const struct apw_doctor_view *view, const struct sample *sample)
{
    if (sample->unreadable == 0) {
        apw_diagnosis_good(view->diagnosis, "mfa_filter",
                           "of the first %u users, MFA is on for %u and off for %u", sample->seen,
                           sample->on, sample->off);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "mfa_filter",
                          "neither %s nor its negation matches for %u of %u users, for example %s: "
                          "logins with their account passwords end in \"unavailable\"",
                          view->config->mfa_filter, sample->unreadable, sample->seen,
                          sample->unreadable_dn);
    apw_diagnosis_fix("access to attrs=appPasswordMfaEnabled by dn.exact=\"%s\" search by * break"
                      "   # or the attributes of mfa_filter; load the schema on every server",
                      apw_doctor_view_dn(&view->config->identity));
}

void apw_doctor_mfa_check(const struct apw_doctor_view *view)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct apw_config *config = view->config;
    struct sample sample = {.view = view};
    struct apw_error error = {"out of memory"};
    char *filter = apw_doctor_names_filter(&view->names);
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = filter, .attributes = nothing};

    if (filter == NULL || apw_directory_search_each(view->directory, &query, config->deadline_ms,
                                                    sample_entry, &sample, &error) != APW_LDAP_OK)
        apw_diagnosis_unknown(view->diagnosis, "mfa_filter", "%s", error.text);
    else
        judge_sample(view, &sample);
    free(filter);
}

void apw_doctor_mfa_check_user(const struct apw_doctor_view *view, const char *login)
{
    const struct apw_manager manager = {.config = view->config, .directory = view->directory};
    const struct apw_target target = {.login = login};
    struct apw_error error = {""};
    struct apw_user *user = NULL;

    if (apw_user_find(&manager, &target, &user, &error) != APW_MANAGE_DONE) {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user", "%s: %s", login, error.text);
        apw_diagnosis_fix("name a user that filter and base find");
    } else if (read_mfa(view, user->dn, &error) == APW_MFA_ON) {
        apw_diagnosis_good(view->diagnosis, "--mfa-user", "%s has MFA on", login);
    } else {
        apw_diagnosis_problem(view->diagnosis, "--mfa-user", "%s does not match mfa_filter %s %s",
                              login, view->config->mfa_filter, error.text);
        apw_diagnosis_fix("app-password mfa on %s   # or an mfa_filter that reads your own flag",
                          login);
    }
    apw_user_free(&user);
}
