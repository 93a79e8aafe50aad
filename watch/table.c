/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct apw_table_entry {
    const char *dn;
    struct apw_table_user *user;
    struct apw_table_place *place;
};

static void free_session(struct apw_table_session *session)
{
    apw_who_free_session(&session->who);
    free(session->ways);
    session->ways = NULL;
}

static void free_sessions(struct apw_table_user *user)
{
    for (size_t i = 0; i < user->count; i++)
        free_session(&user->session[i]);
    free(user->session);
    user->session = NULL;
    user->count = 0;
}

static void free_user(struct apw_table_user *user)
{
    free_sessions(user);
    free(user->name);
    free(user->ways);
    free(user->place[0].dn);
    free(user->place[1].dn);
    memset(user, 0, sizeof *user);
}

void apw_table_free(struct apw_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_user(&table->user[i]);
    free(table->user);
    memset(table, 0, sizeof *table);
}

/* ---- taking over who is connected ---- */

static size_t count_names(const struct apw_who *who)
{
    size_t count = 0;

    for (size_t i = 0; i < who->count; i++)
        if (i == 0 || strcmp(who->session[i].name, who->session[i - 1].name) != 0)
            count++;
    return count;
}

/* How many sessions from `start` on belong to one user. */
static size_t count_sessions(const struct apw_who *who, size_t start)
{
    size_t end = start;

    while (end < who->count && strcmp(who->session[end].name, who->session[start].name) == 0)
        end++;
    return end - start;
}

/* All memory that the new table needs, with room for `gone` more users; NULL without. */
static struct apw_table_user *allocate(const struct apw_who *who, size_t count, size_t gone)
{
    struct apw_table_user *users = calloc(count + gone + 1, sizeof users[0]);
    bool is_complete = users != NULL;

    for (size_t start = 0, i = 0; is_complete && i < count; i++) {
        users[i].count = count_sessions(who, start);
        users[i].session = calloc(users[i].count, sizeof users[i].session[0]);
        users[i].name = strdup(who->session[start].name);
        is_complete = users[i].session != NULL && users[i].name != NULL;
        start += users[i].count;
    }
    if (is_complete)
        return users;
    apw_table_free(&(struct apw_table){.count = users == NULL ? 0 : count, .user = users});
    return NULL;
}

/* Takes over what is known of sessions that are still there. Both lists are sorted. */
static void keep_sessions(struct apw_table_user *user, struct apw_table_user *old)
{
    size_t j = 0;

    for (size_t i = 0; i < user->count; i++) {
        const struct apw_who_session who = user->session[i].who;
        int order = 1;

        while (j < old->count && (order = apw_who_compare(&old->session[j].who, &who)) < 0)
            j++;
        if (j < old->count && order == 0) {
            apw_who_free_session(&user->session[i].who);
            user->session[i] = old->session[j];
            memset(&old->session[j++], 0, sizeof old->session[0]);
        } else {
            if (user->session[i].opened_after <= user->cleared)
                user->session[i].opened_after = user->cleared + 1;
            user->due = true;
        }
    }
}

static void keep_user(struct apw_table_user *user, struct apw_table_user *old)
{
    struct apw_table_user new = *user;

    *user = *old;
    user->name = new.name;
    user->count = new.count;
    user->session = new.session;
    user->gone = 0;
    free(old->name);
    old->name = old->ways = old->place[0].dn = old->place[1].dn = NULL;
    keep_sessions(user, old);
}

static int compare_users(const void *one, const void *other)
{
    const struct apw_table_user *a = one, *b = other;

    return strcmp(a->name, b->name);
}

/* Keeps those whom nobody has taken over. */
static void keep_gone(struct apw_table *new, struct apw_table *old)
{
    for (size_t i = 0; i < old->count; i++) {
        struct apw_table_user *user = &old->user[i];

        if (user->name == NULL || user->gone == APW_TABLE_GONE_ROUNDS)
            continue;
        free_sessions(user);
        user->gone++;
        new->user[new->count++] = *user;
        memset(user, 0, sizeof *user);
    }
    qsort(new->user, new->count, sizeof new->user[0], compare_users);
}

int apw_table_update(struct apw_table *table, struct apw_who *who, int64_t since)
{
    struct apw_table new = {.count = count_names(who)};
    size_t taken = 0, j = 0;

    new.user = allocate(who, new.count, table->count);
    if (new.user == NULL)
        return -1;
    for (size_t i = 0; i < new.count; i++) {
        struct apw_table_user *user = &new.user[i];
        int order = 1;

        for (size_t k = 0; k < user->count; k++) {
            user->session[k].who = who->session[taken];
            user->session[k].opened_after = since;
            memset(&who->session[taken++], 0, sizeof who->session[0]);
        }
        while (j < table->count && (order = strcmp(table->user[j].name, user->name)) < 0)
            j++;
        if (j < table->count && order == 0) {
            keep_user(user, &table->user[j++]);
        } else {
            user->due = true;
        }
    }
    keep_gone(&new, table);
    apw_table_free(table);
    *table = new;
    return 0;
}

/* ---- changes ---- */

static int compare_entries(const void *one, const void *other)
{
    const struct apw_table_entry *a = one, *b = other;

    return strcasecmp(a->dn, b->dn);
}

int apw_table_index(struct apw_table *table, struct apw_table_index *index_r)
{
    index_r->count = 0;
    index_r->entry = calloc(2 * table->count + 1, sizeof index_r->entry[0]);
    if (index_r->entry == NULL)
        return -1;
    for (size_t i = 0; i < table->count; i++)
        for (size_t k = 0; k < 2; k++) {
            struct apw_table_place *place = &table->user[i].place[k];

            if (place->dn != NULL)
                index_r->entry[index_r->count++] = (struct apw_table_entry){
                    .dn = place->dn, .user = &table->user[i], .place = place};
        }
    qsort(index_r->entry, index_r->count, sizeof index_r->entry[0], compare_entries);
    return 0;
}

void apw_table_index_free(struct apw_table_index *index)
{
    free(index->entry);
    memset(index, 0, sizeof *index);
}

static void note(const struct apw_table_entry *entry, const char *stamp)
{
    if (strcmp(entry->place->stamp, stamp) == 0)
        return;
    snprintf(entry->place->stamp, sizeof entry->place->stamp, "%s", stamp);
    entry->user->changed = 2;
}

void apw_table_note_change(const struct apw_table_index *index,
                           const struct apw_table_change *change)
{
    const struct apw_table_entry key = {.dn = change->dn}, *last = index->entry + index->count;
    const struct apw_table_entry *entry =
        bsearch(&key, index->entry, index->count, sizeof key, compare_entries);

    if (entry == NULL)
        return;
    while (entry > index->entry && compare_entries(&key, entry - 1) == 0)
        entry--;
    for (; entry < last && compare_entries(&key, entry) == 0; entry++)
        note(entry, change->stamp); /* one user may be connected by two names */
}

void apw_table_expect_all(struct apw_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        table->user[i].due = true;
}

bool apw_table_is_lost(const struct apw_table_user *user)
{
    for (size_t i = 0; i < user->count; i++)
        if (user->session[i].is_lost)
            return true;
    return false;
}

bool apw_table_is_kicked(const struct apw_table_user *user)
{
    for (size_t i = 0; i < user->count; i++)
        if (user->session[i].is_lost && user->session[i].kicks > 0)
            return true;
    return false;
}

size_t apw_table_count_connected(const struct apw_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        count += table->user[i].count > 0;
    return count;
}

size_t apw_table_count_unkicked(const struct apw_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        count += apw_table_is_lost(&table->user[i]) && !apw_table_is_kicked(&table->user[i]);
    return count;
}

bool apw_table_has_way(const char *ways, const char *way)
{
    size_t length = strlen(way);

    while (*ways != '\0') {
        size_t one = strcspn(ways, " ");

        if (one == length && memcmp(ways, way, length) == 0)
            return true;
        ways += one + strspn(ways + one, " ");
    }
    return false;
}
