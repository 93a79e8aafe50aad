/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/clocks.h"
#include "clock.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOLERANCE_S 60

static void report(const struct apw_doctor_view *view, const char *uri, int64_t ahead)
{
    apw_diagnosis_problem(view->diagnosis, "clock",
                          "the clock of %s is %lld seconds %s this host's", uri,
                          (long long)llabs(ahead), ahead > 0 ? "ahead of" : "behind");
    apw_diagnosis_fix(view->diagnosis,
                      "synchronize both clocks, with systemd-timesyncd or chrony for instance");
}

/* The attribute of the entry as a time; -1 if the server does not show it. */
static int read_time(const struct apw_doctor_view *view, struct apw_directory *directory,
                     const char *dn, const char *attribute, int64_t *time_r)
{
    const char *const wanted[] = {attribute, NULL};
    const struct apw_attribute *found;
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};
    int status = -1;

    apw_doctor_view_read(view, directory, dn, wanted, &entry, &error);
    found = entry == NULL ? NULL : apw_entry_attribute(entry, attribute);
    if (found != NULL && found->count > 0)
        status =
            apw_clock_parse_generalized_time(found->value[0].bytes, found->value[0].length, time_r);
    apw_entries_free(&entry);
    return status;
}

/* Active Directory, 389 Directory Server, slapd-monitor(5). */
static const struct {
    const char *dn, *attribute;
} places[] = {
    {"", "currentTime"},
    {"cn=monitor", "currenttime"},
    {"cn=Current,cn=Time,cn=Monitor", "monitorTimestamp"},
};

void apw_doctor_clocks_check(const struct apw_doctor_view *view, const char *uri,
                             struct apw_directory *directory)
{
    int64_t there, before, now;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        before = (int64_t)time(NULL);
        if (read_time(view, directory, places[i].dn, places[i].attribute, &there) != 0)
            continue;
        now = (int64_t)time(NULL);
        if (there >= before - TOLERANCE_S && there <= now + TOLERANCE_S)
            apw_diagnosis_good(view->diagnosis, "clock", "%s has the time of this host", uri);
        else
            report(view, uri, there - now);
        return;
    }
    if (read_time(view, directory, view->base, "modifyTimestamp", &there) == 0)
        apw_doctor_clocks_check_change(view, uri, there);
}

void apw_doctor_clocks_check_change(const struct apw_doctor_view *view, const char *uri,
                                    int64_t changed)
{
    int64_t ahead = changed - (int64_t)time(NULL);

    if (ahead > TOLERANCE_S)
        report(view, uri, ahead);
}
