/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/values.h"
#include "doctor/dialect.h"
#include "doctor/orphans.h"
#include "finding.h"
#include "progress.h"
#include "session.h"
#include <time.h>

#define COSTLY_SHOWN_MAX 20

struct values {
    struct apw_diagnosis *diagnosis;
    int64_t now;
    size_t good;
    size_t costly;
    struct apw_doctor_orphans orphans;
};

/* Reports a costly hash, which logins still accept. */
static void name_costly(struct values *values, const struct apw_user *user,
                        const struct apw_managed_password *password)
{
    if (values->costly++ < COSTLY_SHOWN_MAX)
        apw_diagnosis_note(values->diagnosis, "values",
                           "%s: %s costs %u KiB and %u passes, more than hash_memory and "
                           "hash_passes; it is accepted",
                           user->name, password->id, password->cost.memory_kib,
                           password->cost.passes);
}

static int check_values_of(void *context, const struct apw_user *user)
{
    struct values *values = context;

    apw_progress_step();
    apw_doctor_orphans_count(&values->orphans, user);
    if (user->is_orphan)
        return 0; /* its app passwords let nobody in */
    if (user->is_change_unreadable && user->password_count > 0)
        apw_diagnosis_problem(values->diagnosis, "values",
                              "%s: %s: the app passwords are \"unavailable\"", user->name,
                              user->change_problem.text);
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];
        bool has_id = password->id[0] != '\0';

        if (password->is_usable && !apw_finding_is_expired(password, values->now)) {
            values->good++;
            if (password->is_costly)
                name_costly(values, user, password);
            continue;
        }
        if (password->is_usable)
            apw_diagnosis_problem(values->diagnosis, "values", "%s: %s has expired", user->name,
                                  password->id);
        else
            apw_diagnosis_problem(values->diagnosis, "values", "%s: %s is unusable: %s", user->name,
                                  has_id ? password->id : "a value without id",
                                  password->problem.text);
        if (has_id && password->is_costly && !password->is_usable)
            apw_diagnosis_fix(values->diagnosis,
                              "app-password revoke %s %s   # or raise hash_memory and hash_passes",
                              user->name, password->id);
        else
            apw_diagnosis_fix(values->diagnosis, "app-password revoke %s %s", user->name,
                              has_id ? password->id : "--all   # the only way to remove it");
    }
    return 0;
}

void apw_doctor_values_check(const struct apw_doctor_view *view)
{
    const struct apw_manager own = apw_doctor_view_manager(view);
    const struct apw_manager *manager = view->session != NULL ? &view->session->manager : &own;
    struct values values = {.diagnosis = view->diagnosis, .now = (int64_t)time(NULL)};
    struct apw_error error = {""};
    unsigned before = view->diagnosis->problems;
    enum apw_manage_result result;
    /* A store has no entries but those of users, and an orphan may have any attributes. */
    bool has_store = apw_config_has_store(view->config);
    const char *filter = has_store ? "(appPasswordOwner=*)" : "(appPassword=*)";

    apw_progress_begin(has_store ? "entries of the store" : "users with app passwords", 0);
    result = apw_user_each_holder(manager, filter, check_values_of, &values, &error);
    apw_progress_end();
    if (result != APW_MANAGE_DONE) {
        apw_diagnosis_unknown(view->diagnosis, "values", "%s", error.text);
        apw_doctor_dialect_fix_limit(view->holder);
    } else {
        if (view->diagnosis->problems == before)
            apw_diagnosis_good(view->diagnosis, "values", "%zu app passwords are usable",
                               values.good);
        apw_doctor_orphans_report(view, &values.orphans);
    }
    if (values.costly > COSTLY_SHOWN_MAX)
        apw_diagnosis_note(view->diagnosis, "values",
                           "%zu more are costly; app-password report --costly lists them",
                           values.costly - COSTLY_SHOWN_MAX);
}
