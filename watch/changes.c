/* SPDX-License-Identifier: BSD-2-Clause */
#include "changes.h"
#include "clock.h"
#include <stdio.h>
#include <string.h>

/* Active Directory computes modifyTimestamp, and cannot search for it. */
static const char *attribute_of(enum apw_directory_type type)
{
    switch (type) {
    case APW_DIRECTORY_LDAP:
        return "modifyTimestamp";
    case APW_DIRECTORY_ACTIVE_DIRECTORY:
        break;
    }
    return "whenChanged";
}

int64_t apw_changes_since(int64_t newest, int64_t elapsed_s, int64_t now)
{
    int64_t servers = newest + elapsed_s;

    return (servers < now ? servers : now) - APW_CHANGES_OVERLAP_S;
}

static int64_t elapsed_s(const struct apw_changes *changes)
{
    return (apw_clock_monotonic_ms() - changes->seen_ms) / 1000;
}

int apw_changes_filter(enum apw_directory_type type, int64_t since,
                       char filter_r[APW_CHANGES_FILTER_SIZE])
{
    char time[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(since, time) != 0)
        return -1;
    snprintf(filter_r, APW_CHANGES_FILTER_SIZE, "(%s>=%.14s%s)", attribute_of(type), time,
             apw_directory_traits(type)->utc);
    return 0;
}

/* One search on its way. */
struct reading {
    struct apw_changes *changes;
    const struct apw_table_index *index;
    size_t count;
};

static int take(void *context, const struct apw_entry *entry)
{
    struct reading *reading = context;
    const struct apw_attribute *stamp =
        apw_entry_attribute(entry, attribute_of(reading->changes->type));
    int64_t at;

    if (stamp == NULL || stamp->count == 0)
        return 0;
    if (apw_clock_parse_generalized_time(stamp->value[0].bytes, stamp->value[0].length, &at) == 0 &&
        at > reading->changes->newest + elapsed_s(reading->changes)) {
        reading->changes->newest = at;
        reading->changes->seen_ms = apw_clock_monotonic_ms();
    }
    apw_table_note_change(reading->index,
                          &(struct apw_table_change){entry->dn, stamp->value[0].bytes});
    return ++reading->count > APW_CHANGES_MAX;
}

int apw_changes_read(struct apw_changes *changes, int64_t now, struct apw_table *table,
                     const struct apw_table_index *index, struct apw_error *error)
{
    const char *const attributes[] = {attribute_of(changes->type), NULL};
    struct reading reading = {.changes = changes, .index = index};
    char filter[APW_CHANGES_FILTER_SIZE];
    const struct apw_query query = {
        .base = changes->base, .scope = changes->scope, .filter = filter, .attributes = attributes};
    int64_t since = apw_changes_since(changes->newest, elapsed_s(changes), now);
    enum apw_ldap_result result;

    if (apw_changes_filter(changes->type, since, filter) != 0)
        return apw_error_set(error, "the clock of this host is wrong");
    result = apw_directory_search_each(changes->directory, &query, changes->page_ms, take, &reading,
                                       error);
    if (result == APW_LDAP_REFUSED || (result == APW_LDAP_OK && reading.count > APW_CHANGES_MAX)) {
        apw_table_expect_all(table); /* more than this identity may see, or than is worth reading */
        return 0;
    }
    return result == APW_LDAP_OK ? 0 : -1;
}

/* Whether the identity finds an entry with that filter. */
static int find_one(const struct apw_changes *changes, const char *filter, int64_t deadline,
                    bool *is_found_r, struct apw_error *error)
{
    const struct apw_query query = {.base = changes->base,
                                    .scope = changes->scope,
                                    .filter = filter,
                                    .attributes = apw_search_no_attributes,
                                    .limit = 1};
    struct apw_entry *entry = NULL;
    enum apw_ldap_result result =
        apw_directory_search(changes->directory, &query, deadline, &entry, error);

    *is_found_r = entry != NULL;
    apw_entries_free(&entry);
    return result == APW_LDAP_OK ? 0 : -1;
}

int apw_changes_check(const struct apw_changes *changes, int64_t deadline, bool *is_shown_r,
                      struct apw_error *error)
{
    char filter[APW_CHANGES_FILTER_SIZE];
    bool has_entries;

    if (find_one(changes, "(objectClass=*)", deadline, &has_entries, error) != 0)
        return -1;
    if (!has_entries)
        return apw_error_set(error, "there is no entry yet");
    apw_changes_filter(changes->type, 0, filter);
    return find_one(changes, filter, deadline, is_shown_r, error);
}
