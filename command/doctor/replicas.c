/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/replicas.h"
#include "clock.h"
#include "doctor/clocks.h"
#include "progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S   5
#define RECENT_S 3600
#define SIDS_MAX 4096 /* of OpenLDAP's serverID */

/* What one server has. */
struct replica {
    char *uri;
    bool has_answered;
    size_t entries;
    int64_t newest;       /* change of an entry, in seconds since 1970 */
    char newest_text[64]; /* the same, exactly if the server has entryCSN */
    unsigned recent[2];   /* the IDs of two servers that have changed entries lately */
    size_t recent_count;
};

/* The server that made a change, by its CSN: "20261129160000.000000Z#000000#001#000000". */
static void note_server(struct replica *replica, const char *csn)
{
    const char *count = strchr(csn, '#');
    const char *sid = count == NULL ? NULL : strchr(count + 1, '#');
    unsigned long id = sid == NULL ? SIDS_MAX : strtoul(sid + 1, NULL, 16);

    for (size_t i = 0; i < replica->recent_count; i++)
        if (replica->recent[i] == id)
            return;
    if (id < SIDS_MAX && replica->recent_count < 2)
        replica->recent[replica->recent_count++] = (unsigned)id;
}

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct replica *replica = context;
    const struct apw_attribute *changed = apw_entry_attribute(entry, "modifyTimestamp");
    const struct apw_attribute *csn = apw_entry_attribute(entry, "entryCSN");
    const char *text = csn != NULL && csn->count > 0           ? csn->value[0].bytes
                       : changed != NULL && changed->count > 0 ? changed->value[0].bytes
                                                               : "";
    int64_t time_of_change;

    replica->entries++;
    apw_progress_step();
    if (strcmp(text, replica->newest_text) > 0)
        snprintf(replica->newest_text, sizeof replica->newest_text, "%s", text);
    if (changed == NULL || changed->count == 0 ||
        apw_clock_parse_generalized_time(changed->value[0].bytes, changed->value[0].length,
                                         &time_of_change) != 0)
        return 0;
    if (time_of_change > replica->newest)
        replica->newest = time_of_change;
    if (csn != NULL && csn->count > 0 && time_of_change > (int64_t)time(NULL) - RECENT_S)
        note_server(replica, text);
    return 0;
}

static void look(const struct apw_doctor_view *view, struct replica *replica)
{
    static const char *const wanted[] = {"modifyTimestamp", "entryCSN", NULL};
    const struct apw_query query = {.base = view->base,
                                    .scope = view->scope,
                                    .filter = "(appPasswordOwner=*)",
                                    .attributes = wanted};
    const struct apw_uris alone = {.count = 1, .uri = {replica->uri}};
    struct apw_directory *directory;
    struct apw_error error = {""};

    *replica = (struct replica){.uri = replica->uri};
    apw_progress_begin("entries of the store", 0);
    replica->has_answered =
        apw_doctor_view_connect(view, &alone, view->manager, &directory, &error) == 0 &&
        apw_directory_search_each(directory, &query, APW_DIRECTORY_PAGE_MS, look_at_entry, replica,
                                  &error) == APW_LDAP_OK;
    apw_progress_end();
    apw_directory_free(&directory);
}

/* Whether the server lacks a change that another one had before, or has other entries although it
 * has the same last change as the first one. */
static bool is_behind(const struct replica *replica, const struct replica *first, const char *goal)
{
    return replica->has_answered && (strcmp(replica->newest_text, goal) < 0 ||
                                     (strcmp(replica->newest_text, first->newest_text) == 0 &&
                                      replica->entries != first->entries));
}

/* Until all have the change `goal`: the store is in use, and may have newer ones by then. */
static void wait_for_all(const struct apw_doctor_view *view, struct replica *replica, size_t count,
                         const char *goal)
{
    for (int i = 0; i < WAIT_S; i++) {
        bool is_in_step = true;

        for (size_t j = 0; j < count; j++)
            is_in_step = is_in_step && !is_behind(&replica[j], &replica[0], goal);
        if (is_in_step)
            return;
        sleep(1);
        for (size_t j = 0; j < count; j++)
            look(view, &replica[j]);
    }
}

/* The server with the newest change. */
static const struct replica *find_newest(const struct replica *replica, size_t count)
{
    const struct replica *newest = replica;

    for (size_t i = 1; i < count; i++)
        if (strcmp(replica[i].newest_text, newest->newest_text) > 0)
            newest = &replica[i];
    return newest;
}

static void report_behind(const struct apw_doctor_view *view, const struct replica *behind,
                          const struct replica *newest)
{
    apw_diagnosis_problem(view->diagnosis, "replication",
                          "%s is behind %s: it has %zu entries instead of %zu, and its last change "
                          "is %lld seconds older. What was revoked may still work there",
                          behind->uri, newest->uri, behind->entries, newest->entries,
                          (long long)(newest->newest - behind->newest));
    apw_diagnosis_fix(view->diagnosis,
                      "look into the log of slapd on that host: can it reach the other, sign in as "
                      "its replicator, and is its clock right?");
}

/* Compares the servers that have answered. */
static void compare(const struct apw_doctor_view *view, struct replica *replica, size_t count)
{
    unsigned before = view->diagnosis->problems;
    const struct replica *newest = find_newest(replica, count);
    char goal[sizeof newest->newest_text];

    strcpy(goal, newest->newest_text);
    wait_for_all(view, replica, count, goal);
    newest = find_newest(replica, count);
    for (size_t i = 0; i < count; i++)
        if (&replica[i] != newest && is_behind(&replica[i], newest, goal))
            report_behind(view, &replica[i], newest);
    if (view->diagnosis->problems == before)
        apw_diagnosis_good(view->diagnosis, "replication", "%zu servers have the same %zu entries",
                           count, newest->entries);
}

/* The answer of one server is enough: in step, all have the same entries. */
static void check_order(const struct apw_doctor_view *view, const struct replica *replica)
{
    if (replica->recent_count < 2)
        return;
    apw_diagnosis_problem(view->diagnosis, "store_write_uri",
                          "within an hour, the servers with serverID %u and %u both took changes: "
                          "hosts name them in different order, or one was down. Of two changes at "
                          "once, one may be lost",
                          replica->recent[0], replica->recent[1]);
    apw_diagnosis_fix(view->diagnosis,
                      "store_write_uri %s …   # in the same order on all hosts, also where "
                      "store_uri has another",
                      view->write_uris->uri[0]);
}

void apw_doctor_replicas_check(const struct apw_doctor_view *view)
{
    char *uris[2 * APW_URIS_MAX];
    size_t count = apw_uris_unite(view->uris, view->write_uris, uris), known = 0;
    struct replica replica[2 * APW_URIS_MAX];

    if (view->manager == NULL) { /* the mail server may not read when entries were changed */
        if (count > 1)
            apw_diagnosis_note(view->diagnosis, "replication",
                               "no administrator here, so the servers are not compared");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        replica[known].uri = uris[i];
        look(view, &replica[known]);
        if (replica[known].has_answered) { /* else another check says so */
            apw_doctor_clocks_check_change(view, uris[i], replica[known].newest);
            known++;
        }
    }
    if (known < 2)
        return;
    compare(view, replica, known);
    check_order(view, &replica[0]);
}
