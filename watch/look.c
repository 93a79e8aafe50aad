/* SPDX-License-Identifier: BSD-2-Clause */
#include "look.h"
#include "clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lose(struct apw_table_session *session, enum apw_reason reason, const char *way)
{
    session->is_lost = true;
    session->reason = reason;
    snprintf(session->lost_way, sizeof session->lost_way, "%s", way);
}

static void lose_all(struct apw_table_user *user, enum apw_reason reason)
{
    for (size_t i = 0; i < user->count; i++)
        lose(&user->session[i], reason, "");
}

/* ---- sessions of which Dovecot does not say how they were opened ---- */

static const struct apw_way *find_way(const struct apw_open_session *now, const char *name)
{
    for (size_t i = 0; i < now->count; i++)
        if (strcmp(now->found[i].name, name) == 0)
            return &now->found[i];
    return NULL;
}

/* Whatever it was opened with, one of the ways by which that was possible is gone. */
static void compare_ways(struct apw_table_session *session, const struct apw_open_session *now)
{
    const char *ways = session->ways;

    while (*ways != '\0') {
        size_t length = strcspn(ways, " ");
        char name[APW_WAY_SIZE];
        const struct apw_way *way;

        snprintf(name, sizeof name, "%.*s", (int)length, ways);
        way = find_way(now, name);
        if (way == NULL || way->standing == APW_STANDING_ENDED)
            lose(session, way == NULL ? APW_REASON_UNKNOWN_APP_PASSWORD : way->reason, name);
        ways += length + strspn(ways + length, " ");
    }
}

/* Whether the session may have been opened by it. A first look cannot compare with an earlier one,
 * so it takes what has ended after the session may have begun. */
static bool may_be_by(const struct apw_table_session *session, const struct apw_way *way)
{
    switch (way->standing) {
    case APW_STANDING_VALID:
        return true;
    case APW_STANDING_ENDED:
        return session->ways == NULL && way->ended >= session->opened_after;
    case APW_STANDING_UNKNOWN:
        break;
    }
    return session->ways != NULL && apw_table_has_way(session->ways, way->name);
}

/* Lists the ways by which it may have been opened. Fails without memory. */
static int list_ways(struct apw_table_session *session, const struct apw_open_session *now)
{
    char *list = calloc(now->count + 1, APW_WAY_SIZE + 1);

    if (list == NULL)
        return -1;
    for (size_t i = 0; i < now->count; i++) {
        if (!may_be_by(session, &now->found[i]))
            continue;
        if (list[0] != '\0')
            strcat(list, " ");
        strcat(list, now->found[i].name);
    }
    free(session->ways);
    session->ways = list;
    return 0;
}

/* Whether it is gone from everywhere, and not only for this service or client. */
static bool is_gone(const struct apw_way *way)
{
    return way == NULL ||
           (way->standing == APW_STANDING_ENDED && way->reason != APW_REASON_WRONG_SERVICE &&
            way->reason != APW_REASON_WRONG_NETWORK);
}

/* Ways in that stood when somebody last looked at another session of the user, and are gone now: a
 * new session may have been opened by one of them in between. Fails without memory. */
static int add_gone(struct apw_table_session *session, const char *stood,
                    const struct apw_open_session *now)
{
    size_t size = strlen(session->ways) + strlen(stood) + 2;
    char *list = realloc(session->ways, size);

    if (list == NULL)
        return -1;
    session->ways = list;
    while (*stood != '\0') {
        size_t length = strcspn(stood, " ");
        char name[APW_WAY_SIZE];

        snprintf(name, sizeof name, "%.*s", (int)length, stood);
        if (!apw_table_has_way(list, name) && is_gone(find_way(now, name)))
            snprintf(list + strlen(list), size - strlen(list), "%s%s", list[0] == '\0' ? "" : " ",
                     name);
        stood += length + strspn(stood + length, " ");
    }
    return 0;
}

static int judge_unknown(struct apw_table_session *session, const char *stood,
                         const struct apw_open_session *now)
{
    if (session->ways == NULL) {
        if (list_ways(session, now) != 0)
            return -1;
        if (stood != NULL && add_gone(session, stood, now) != 0)
            return -1;
    }
    compare_ways(session, now);
    return session->is_lost ? 0 : list_ways(session, now); /* a lost one stays as it was */
}

/* ---- all sessions ---- */

static int judge(struct apw_table_session *session, const char *stood,
                 const struct apw_open_session *now)
{
    session->is_lost = false;
    if (session->who.way[0] == '\0')
        return judge_unknown(session, stood, now);
    if (now->found[0].standing == APW_STANDING_ENDED)
        lose(session, now->found[0].reason, session->who.way);
    return 0;
}

static void note_ends(struct apw_table_user *user, const struct apw_open_session *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (now->found[i].ended > user->last_end)
            user->last_end = now->found[i].ended;
}

/* Remembers what stands for the next session of the user. Fails without memory. */
static int note_ways(struct apw_table_user *user, const struct apw_open_session *now)
{
    size_t count = 0;
    char *list;

    for (size_t i = 0; i < user->count; i++)
        count += user->session[i].who.way[0] == '\0' ? now[i].count : 0;
    list = calloc(count + 1, APW_WAY_SIZE + 1);
    if (list == NULL)
        return -1;
    for (size_t i = 0; i < user->count; i++)
        for (size_t j = 0; user->session[i].who.way[0] == '\0' && j < now[i].count; j++) {
            const struct apw_way *way = &now[i].found[j];
            bool stands = way->standing == APW_STANDING_VALID ||
                          (way->standing == APW_STANDING_UNKNOWN && user->ways != NULL &&
                           apw_table_has_way(user->ways, way->name));

            if (!stands || apw_table_has_way(list, way->name))
                continue;
            if (list[0] != '\0')
                strcat(list, " ");
            strcat(list, way->name);
        }
    free(user->ways);
    user->ways = list;
    return 0;
}

static int judge_all(struct apw_table_user *user, const struct apw_open_session *now)
{
    user->is_known = true;
    user->absences = 0;
    for (size_t i = 0; i < user->count; i++) {
        note_ends(user, &now[i]);
        if (judge(&user->session[i], user->ways, &now[i]) != 0)
            return -1;
    }
    return note_ways(user, now);
}

static bool is_ours(const struct apw_table_user *user)
{
    for (size_t i = 0; i < user->count; i++)
        if (user->session[i].who.way[0] != '\0')
            return true;
    return user->is_known;
}

/* The user cannot sign in at all. Sessions of users whom another passdb knows are not ours. */
static void judge_absence(struct apw_table_user *user, enum apw_reason reason)
{
    if (reason == APW_REASON_ACCOUNT_DISABLED) {
        user->is_known = true;
        lose_all(user, reason);
        return;
    }
    if (!is_ours(user))
        return;
    if (++user->absences >= APW_LOOK_ABSENCES)
        lose_all(user, reason);
    else
        user->changed = 1; /* again, soon */
}

/* Remembers where to notice changes. */
static void place(struct apw_table_user *user, struct apw_session_user *found)
{
    char **dn[] = {&found->dn, &found->stored_dn};

    for (size_t i = 0; i < 2; i++) {
        char *old = user->place[i].dn;

        if (old == NULL || *dn[i] == NULL || strcmp(old, *dn[i]) != 0)
            user->place[i].stamp[0] = '\0';
        user->place[i].dn = *dn[i];
        *dn[i] = old;
    }
}

static enum apw_look settle(struct apw_table_user *user, enum apw_existence existence,
                            struct apw_session_user *found, const struct apw_open_session *now)
{
    user->until = found->until;
    switch (existence) {
    case APW_EXISTENCE_KNOWN:
        place(user, found);
        return judge_all(user, now) == 0 ? APW_LOOK_DONE : APW_LOOK_UNAVAILABLE;
    case APW_EXISTENCE_UNKNOWN:
        judge_absence(user, found->event.reason);
        return APW_LOOK_DONE;
    case APW_EXISTENCE_UNAVAILABLE:
        break;
    }
    return APW_LOOK_UNAVAILABLE;
}

enum apw_look apw_look(const struct apw_config *config, const struct apw_world *world,
                       struct apw_table_user *user, struct apw_error *error)
{
    struct apw_open_session *now = calloc(user->count, sizeof now[0]);
    struct apw_session_user found;
    enum apw_existence existence;
    enum apw_look look;

    if (now == NULL) {
        apw_error_set(error, "out of memory");
        return APW_LOOK_UNAVAILABLE;
    }
    for (size_t i = 0; i < user->count; i++) {
        const struct apw_who_session *who = &user->session[i].who;

        now[i].service = who->service;
        now[i].client = who->client;
        now[i].way = who->way[0] != '\0' ? who->way : NULL;
    }
    existence = apw_verify_open_sessions(config, world, user->name, now, user->count,
                                         apw_clock_monotonic_ms() + config->deadline_ms, &found);
    look = settle(user, existence, &found, now);
    if (look == APW_LOOK_UNAVAILABLE)
        apw_error_set(error, "%s: %s%s%s", user->name, apw_reason_name(found.event.reason),
                      found.event.detail.text[0] == '\0' ? "" : ": ", found.event.detail.text);
    apw_verify_clear_open_sessions(now, user->count);
    apw_verify_clear_session_user(&found);
    free(now);
    return look;
}
