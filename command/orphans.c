/* SPDX-License-Identifier: BSD-2-Clause */
#include "orphans.h"
#include "clock.h"
#include "date.h"
#include "orphan_search.h"
#include "output.h"
#include "progress.h"
#include "say.h"
#include "store.h"
#include "tally.h"
#include "trail.h"
#include <stdlib.h>
#include <time.h>

#define KEPT_S       (INT64_C(86400) * APW_STORE_KEPT_DAYS)
#define REMOVED_PART 10 /* one of so many entries is deleted at once */

struct run {
    const struct apw_session *session;
    int64_t now;
    size_t left;  /* how many may still be deleted */
    bool is_held; /* none, because a server of the store does not answer */
    size_t orphans, removed, waiting, strange;
    struct apw_tally tally;
};

static const char *would_be(const struct run *run)
{
    return run->session->manager.is_dry_run ? "would be " : "";
}

/* Sets or deletes appPasswordOrphanSince. */
static enum apw_ldap_result write_since(const struct run *run, const struct apw_orphan_entry *entry,
                                        const char *since, struct apw_error *error)
{
    /* A first time is added: this identity may not see one that is there. */
    const struct apw_change change = {since == NULL        ? APW_CHANGE_DELETE
                                      : entry->is_recorded ? APW_CHANGE_REPLACE
                                                           : APW_CHANGE_ADD,
                                      "appPasswordOrphanSince", since};

    if (run->session->manager.is_dry_run)
        return APW_LDAP_OK;
    return apw_directory_modify(run->session->store, entry->dn, &change, 1,
                                apw_user_deadline(&run->session->manager), error);
}

static enum apw_ldap_result
remove_entry(const struct run *run, const struct apw_orphan_entry *entry, struct apw_error *error)
{
    if (run->session->manager.is_dry_run)
        return APW_LDAP_OK;
    return apw_directory_delete(run->session->store, entry->dn,
                                apw_user_deadline(&run->session->manager), error);
}

/* Counts how a write ended, and says why it failed. Whether it succeeded. */
static bool settle(struct run *run, const struct apw_orphan_entry *entry,
                   enum apw_ldap_result result, const struct apw_error *error)
{
    static const enum apw_status statuses[] = {
        [APW_LDAP_UNAVAILABLE] = APW_STATUS_UNAVAILABLE,
        [APW_LDAP_OK] = APW_STATUS_DONE,
        [APW_LDAP_NO_SUCH_OBJECT] = APW_STATUS_DONE, /* somebody else has deleted it */
        [APW_LDAP_NOT_PERMITTED] = APW_STATUS_NOT_PERMITTED,
        [APW_LDAP_CONFLICT] = APW_STATUS_FAILED,
        [APW_LDAP_READ_ONLY] = APW_STATUS_FAILED,
        [APW_LDAP_REFUSED] = APW_STATUS_FAILED,
    };

    apw_tally_add(&run->tally, statuses[result]);
    if (statuses[result] == APW_STATUS_DONE)
        return true;
    apw_say(entry->name, "%s: %s", entry->id, error->text);
    return false;
}

static void record(struct run *run, const struct apw_orphan_entry *entry)
{
    struct apw_error error = {""};
    char since[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(run->now, since) == 0 &&
        settle(run, entry, write_since(run, entry, since, &error), &error))
        apw_output_line("%s: %s: no such user any more; %srecorded", entry->name, entry->id,
                        would_be(run));
}

static void forget(struct run *run, const struct apw_orphan_entry *entry)
{
    struct apw_error error = {""};

    if (settle(run, entry, write_since(run, entry, NULL, &error), &error))
        apw_output_line("%s: %s: the user is there again; %skept", entry->name, entry->id,
                        would_be(run));
}

static bool is_due(const struct run *run, const struct apw_orphan_entry *entry)
{
    return entry->is_orphan && entry->has_since && entry->since <= run->now - KEPT_S;
}

static void remove_or_wait(struct run *run, const struct apw_orphan_entry *entry)
{
    struct apw_error error = {""};
    char since[APW_DATE_MINUTE_SIZE];
    bool is_removed;

    apw_date_format_minute(entry->since, since);
    if (!is_due(run, entry) || run->left == 0) {
        run->waiting += is_due(run, entry);
        apw_output_line("%s: %s: no such user since %s%s", entry->name, entry->id, since,
                        is_due(run, entry) ? "; waits for the next run" : "");
        return;
    }
    run->left--;
    is_removed = settle(run, entry, remove_entry(run, entry, &error), &error);
    apw_trail_add(
        &(struct apw_audit){
            .action = APW_AUDIT_SWEEP, .user = entry->name, .dn = entry->dn, .error = error.text},
        is_removed ? APW_MANAGE_DONE : APW_MANAGE_REFUSED);
    if (!is_removed)
        return;
    run->removed++;
    apw_output_line("%s: %s: no such user since %s; %sremoved", entry->name, entry->id, since,
                    would_be(run));
}

static void look_at(struct run *run, const struct apw_orphan_entry *entry)
{
    run->orphans += entry->is_orphan;
    run->strange += entry->is_strange;
    if (entry->is_strange)
        apw_output_line("%s: %s: not an id of %s; kept", entry->name, entry->id,
                        run->session->config->store.id_attribute->name);
    else if (!entry->is_orphan && entry->is_recorded)
        forget(run, entry);
    else if (entry->is_orphan && !entry->has_since)
        record(run, entry);
    else if (entry->is_orphan)
        remove_or_wait(run, entry);
}

/* Whether each server of the store answers. An entry that is deleted at one and changed at another
 * would stay at one of them for good. */
static bool is_whole(const struct apw_session *session, struct apw_error *error)
{
    const struct apw_query query = {.base = session->config->store.base,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = apw_search_no_attributes};
    char *uris[2 * APW_URIS_MAX];
    size_t count = apw_uris_unite(apw_config_holder_uris(session->config),
                                  apw_config_holder_write_uris(session->config), uris);
    bool is_answered = true;

    for (size_t i = 0; i < count && is_answered; i++) {
        const struct apw_uris alone = {.count = 1, .uri = {uris[i]}};
        struct apw_directory *server = NULL;
        struct apw_entry *base = NULL;

        is_answered = apw_session_connect_holder(session->config, &alone, &session->identity,
                                                 &server, error) == 0 &&
                      apw_directory_search(server, &query, apw_user_deadline(&session->manager),
                                           &base, error) == APW_LDAP_OK;
        apw_entries_free(&base);
        apw_directory_free(&server);
    }
    return is_answered;
}

/* Nothing is deleted unless the whole store answers; asks only if something would be. */
static void hold(struct run *run, const struct apw_orphan_entries *entries)
{
    struct apw_error error = {""};
    bool has_due = false;

    for (size_t i = 0; i < entries->count; i++)
        has_due |= is_due(run, &entries->entry[i]);
    run->is_held = has_due && !is_whole(run->session, &error);
    if (!run->is_held)
        return;
    run->left = 0;
    apw_say(NULL, "--orphans: %s; nothing is removed until every server of the store answers",
            error.text);
}

/* The oldest first: they are deleted before others. */
static int compare(const void *left_item, const void *right_item)
{
    const struct apw_orphan_entry *left = left_item, *right = right_item;

    return (left->since > right->since) - (left->since < right->since);
}

static enum apw_status settle_all(struct run *run, const struct apw_orphan_entries *entries)
{
    enum apw_status status;

    run->left = entries->total / REMOVED_PART > 0 ? entries->total / REMOVED_PART : 1;
    hold(run, entries);
    if (entries->count > 0)
        qsort(entries->entry, entries->count, sizeof *entries->entry, compare);
    for (size_t i = 0; i < entries->count && run->tally.status != APW_STATUS_UNAVAILABLE; i++)
        look_at(run, &entries->entry[i]);
    if (run->waiting > 0 && !run->is_held)
        apw_say(NULL,
                "%zu due, but not %sremoved: at most one in ten of all entries is at once; run it "
                "again for the rest",
                run->waiting, would_be(run));
    apw_say(NULL, "%zu entries, %zu without a user, %zu %sremoved, %u failed", entries->total,
            run->orphans, run->removed, would_be(run), run->tally.failed);
    status = apw_tally_status(&run->tally);
    return status == APW_STATUS_DONE && run->is_held ? APW_STATUS_UNAVAILABLE : status;
}

enum apw_status apw_orphans_revoke(const struct apw_session *session)
{
    struct run run = {.session = session, .now = (int64_t)time(NULL)};
    struct apw_orphan_entries entries;
    struct apw_error error = {""};
    enum apw_manage_result result;
    enum apw_status status;

    if (session->store == NULL) {
        apw_say(NULL, "--orphans is about a store; store_uri in %s names none",
                session->config->path);
        return APW_STATUS_CONFIGURATION;
    }
    apw_progress_begin("entries of the store", 0);
    result = apw_orphan_search(session, &entries, &error);
    apw_progress_end();
    if (result == APW_MANAGE_DONE) {
        status = settle_all(&run, &entries);
    } else {
        apw_say(NULL, "--orphans: %s; nothing was recorded or removed", error.text);
        status = apw_status_of(result);
    }
    apw_orphan_entries_clear(&entries);
    return status;
}
