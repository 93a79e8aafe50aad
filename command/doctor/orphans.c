/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/orphans.h"
#include "clock.h"
#include "store.h"
#include <stdio.h>
#include <time.h>

#define DAY_S       86400
#define SEVERAL_MIN 2 /* so many cannot all have left */

void apw_doctor_orphans_count(struct apw_doctor_orphans *orphans, const struct apw_user *user)
{
    orphans->entries++;
    if (user->is_orphan && orphans->orphans++ == 0)
        snprintf(orphans->name, sizeof orphans->name, "%s", user->name);
}

/* The orphans that app-password revoke --orphans has found already. */
struct recorded {
    size_t count;
    int64_t oldest;
};

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct recorded *recorded = context;
    const struct apw_attribute *since = apw_entry_attribute(entry, "appPasswordOrphanSince");
    int64_t time;

    if (since != NULL && since->count > 0 &&
        apw_clock_parse_generalized_time(since->value[0].bytes, since->value[0].length, &time) ==
            0 &&
        (recorded->count++ == 0 || time < recorded->oldest))
        recorded->oldest = time;
    return 0;
}

static struct recorded find_recorded(const struct apw_doctor_view *store)
{
    static const char *const wanted[] = {"appPasswordOrphanSince", NULL};
    const struct apw_query query = {.base = store->base,
                                    .scope = store->scope,
                                    .filter = "(appPasswordOrphanSince=*)",
                                    .attributes = wanted};
    struct recorded recorded = {.count = 0};
    struct apw_error error = {""};

    if (store->managed != NULL)
        apw_directory_search_each(store->managed, &query, APW_DIRECTORY_PAGE_MS, look_at_entry,
                                  &recorded, &error);
    return recorded;
}

static void report_all(const struct apw_doctor_view *view, size_t count)
{
    apw_diagnosis_problem(view->diagnosis, "orphans",
                          "none of the %zu entries of the store belongs to a user below %s: was "
                          "id_attribute, base or the users' directory changed?",
                          count, view->base);
    apw_diagnosis_fix(view->diagnosis,
                      "restore that setting; do not remove these entries: nobody could use the app "
                      "passwords in them again");
}

static void report_some(const struct apw_doctor_view *view,
                        const struct apw_doctor_orphans *orphans)
{
    struct recorded recorded = find_recorded(view->holder);
    long long days = ((long long)time(NULL) - (long long)recorded.oldest) / DAY_S;
    char oldest[64] = "";

    if (recorded.count > 0)
        snprintf(oldest, sizeof oldest, ", the oldest since %lld days", days);
    if (recorded.count >= orphans->orphans && days <= APW_STORE_KEPT_DAYS) {
        apw_diagnosis_note(view->diagnosis, "orphans",
                           "%zu of %zu entries of the store belong to nobody, for example that of "
                           "%s%s; app-password revoke --orphans removes them after %d days",
                           orphans->orphans, orphans->entries, orphans->name, oldest,
                           APW_STORE_KEPT_DAYS);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "orphans",
                          "%zu of %zu entries of the store belong to nobody in the users' "
                          "directory, for example that of %s%s",
                          orphans->orphans, orphans->entries, orphans->name, oldest);
    apw_diagnosis_fix(view->diagnosis,
                      "app-password revoke --orphans   # once a day: it removes them after %d days",
                      APW_STORE_KEPT_DAYS);
}

void apw_doctor_orphans_report(const struct apw_doctor_view *view,
                               const struct apw_doctor_orphans *orphans)
{
    if (!apw_config_has_store(view->config) || orphans->entries == 0)
        return;
    if (orphans->orphans == 0)
        apw_diagnosis_good(view->diagnosis, "orphans",
                           "each of the %zu entries of the store belongs to a user",
                           orphans->entries);
    else if (orphans->orphans == orphans->entries && orphans->orphans >= SEVERAL_MIN)
        report_all(view, orphans->orphans);
    else
        report_some(view, orphans);
}
