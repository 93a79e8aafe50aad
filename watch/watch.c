/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"
#include "clock.h"
#include "look.h"
#include "memory.h"
#include "name.h"
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURNS           100 /* looks in a round without a cause, at least */
#define TURN_S          300 /* in which everybody's turn comes */
#define DOVEADM_LIMIT_S 10
#define SOON_MS         1000   /* until a second look at somebody who seems to be gone */
#define HELD_AGAIN_MS   300000 /* how often to say that sessions wait */
#define KICKS_TRIED     3      /* then say that a session stays */
#define OUTAGE          3      /* looks in a row without an answer */
#define CLOCK_SLACK_S   2      /* between the directory's clock and ours */
#define FIRST_CHANGES_S                                                                            \
    3600 /* how old the first changes read are; the servers' clock may be behind */

/* ---- the log ---- */

static void say(struct apw_watch *watch, struct apw_watch_trouble *trouble, const char *what,
                const char *why)
{
    char text[1024];

    trouble->is_present = true;
    if (trouble->is_told)
        return;
    trouble->is_told = true;
    snprintf(text, sizeof text, "watch: %s: %s", what, why);
    apw_log_warning(watch->log, text);
}

/* After a round, or a part of it, without this trouble. */
static void say_over(struct apw_watch *watch, struct apw_watch_trouble *trouble, const char *what)
{
    char text[256];

    if (!trouble->is_present && trouble->is_told) {
        trouble->is_told = false;
        snprintf(text, sizeof text, "watch: %s", what);
        apw_log_warning(watch->log, text);
    }
    trouble->is_present = false;
}

/* ---- who is connected ---- */

static int list_sessions(struct apw_watch *watch)
{
    struct apw_error error = {""};
    struct apw_who who;
    int64_t now = time(NULL);
    int status = apw_who_read(watch->doveadm, DOVEADM_LIMIT_S, &who, &error);

    if (status == 0)
        status = apw_table_update(&watch->table, &who, watch->since);
    apw_who_free(&who);
    if (status != 0) {
        say(watch, &watch->dovecot, "cannot list the open sessions",
            error.text[0] != '\0' ? error.text : "out of memory");
        return -1;
    }
    say_over(watch, &watch->dovecot, "Dovecot lists the open sessions again");
    watch->since = now - CLOCK_SLACK_S;
    return 0;
}

/* ---- what has changed ---- */

static void check_changes(struct apw_watch *watch)
{
    struct apw_error error = {""};
    char text[512];
    bool is_shown;

    for (size_t i = 0; !watch->has_checked_changes && i < watch->change_count; i++) {
        int64_t deadline = apw_clock_monotonic_ms() + watch->config->deadline_ms;

        if (apw_changes_check(&watch->changes[i], deadline, &is_shown, &error) != 0)
            return;
        if (is_shown)
            continue;
        snprintf(
            text, sizeof text,
            "watch: this identity cannot search for the time of the last change of the entries "
            "under %s, so a change is noticed only when a user's turn comes; see "
            "app-password-watch(8)",
            watch->changes[i].base);
        apw_log_warning(watch->log, text);
    }
    watch->has_checked_changes = true;
}

static int read_changes(struct apw_watch *watch)
{
    struct apw_table_index index;
    struct apw_error error = {""};
    int status = apw_table_index(&watch->table, &index);

    for (size_t i = 0; status == 0 && i < watch->change_count; i++)
        status = apw_changes_read(&watch->changes[i], time(NULL), &watch->table, &index, &error);
    apw_table_index_free(&index);
    if (status != 0) {
        say(watch, &watch->changing, "the directory does not answer, so no session is ended",
            error.text);
        return -1;
    }
    say_over(watch, &watch->changing, "the directory answers again");
    check_changes(watch);
    return 0;
}

/* ---- looks ---- */

static struct apw_world world_of(struct apw_watch *watch, struct apw_world *store_r)
{
    struct apw_world world = apw_world_of(watch->directory);

    world.names = watch->names;
    world.mfa_witness = &watch->mfa_witness;
    world.disabled_witness = &watch->disabled_witness;
    if (watch->store != NULL) {
        *store_r = apw_world_of(watch->store);
        store_r->mfa_witness = &watch->mfa_witness;
        world.store = store_r;
    }
    return world;
}

/* Returns whether there was an answer. */
static bool look_at(struct apw_watch *watch, struct apw_table_user *user)
{
    struct apw_world store, world = world_of(watch, &store);
    struct apw_error error = {""};

    user->looked = watch->round;
    user->due = false;
    if (user->changed > 0)
        user->changed--;
    if (apw_look(watch->config, &world, user, &error) == APW_LOOK_UNAVAILABLE) {
        user->due = true;
        say(watch, &watch->looking, "cannot tell whether a session may stay, so it stays",
            error.text);
        return false;
    }
    if (user->absences > 0 && user->changed > 0)
        watch->is_soon = true;
    return true;
}

/* Those whose entry has changed come before those who are new, or at a date, and these before those
 * whose turn it is. */
enum urgency { CHANGED, DUE, TURN, URGENCIES };

static bool is_due(const struct apw_watch *watch, const struct apw_table_user *user,
                   enum urgency urgency, int64_t now)
{
    if (user->looked == watch->round || user->count == 0)
        return false;
    return urgency == CHANGED ? user->changed > 0
           : urgency == DUE   ? user->due || user->until <= now
                              : true;
}

/* How many looks in this round need no cause. */
static size_t count_turns(const struct apw_watch *watch)
{
    size_t count = watch->table.count,
           turns = count * (size_t)watch->config->watch_interval_s / TURN_S + 1;

    turns = turns < TURNS ? TURNS : turns;
    return turns < count ? turns : count;
}

/* Ends at the deadline, and in an outage: where it ended, the next round begins. */
static void look_around(struct apw_watch *watch, int64_t deadline_ms)
{
    size_t count = watch->table.count, failures = 0;
    int64_t now = time(NULL);

    for (enum urgency urgency = CHANGED; urgency < URGENCIES; urgency++) {
        size_t *next = &watch->next[urgency], turns = urgency == TURN ? count_turns(watch) : count;

        for (size_t i = 0; i < turns; i++) {
            struct apw_table_user *user = &watch->table.user[(*next)++ % count];

            if (!is_due(watch, user, urgency, now))
                continue;
            failures = look_at(watch, user) ? 0 : failures + 1;
            if (failures == OUTAGE || apw_clock_remaining_ms(deadline_ms) == 0)
                return;
        }
    }
    say_over(watch, &watch->looking, "the directory tells of every session whether it may stay");
}

/* ---- kicks ---- */

static void log_kick(struct apw_watch *watch, const struct apw_table_session *session)
{
    struct apw_event event = {.reason = session->reason};

    event.user_length = strnlen(session->who.name, APW_LOGIN_BYTES_MAX);
    memcpy(event.user, session->who.name, event.user_length);
    memcpy(event.service, session->who.service, sizeof event.service);
    memcpy(event.client, session->who.client, sizeof event.client);
    if (strlen(session->lost_way) == APW_ID_LENGTH)
        memcpy(event.id, session->lost_way, APW_ID_LENGTH + 1);
    apw_log_kick(watch->log, &event);
}

/* Whether an earlier session of the user has had the same kick. */
static bool is_repeated(const struct apw_table_user *user, size_t i,
                        const struct apw_kick_command *command)
{
    for (size_t j = 0; j < i; j++) {
        struct apw_kick_command earlier;

        if (user->session[j].is_lost && apw_kick_plan(&user->session[j].who, &earlier, NULL) == 0 &&
            earlier.is_by_field == command->is_by_field &&
            strcmp(earlier.target, command->target) == 0)
            return true;
    }
    return false;
}

static void kick_session(struct apw_watch *watch, struct apw_table_user *user, size_t i)
{
    struct apw_table_session *session = &user->session[i];
    struct apw_kick_command command;
    struct apw_error error = {""};

    if (apw_kick_plan(&session->who, &command, &error) != 0 ||
        (!is_repeated(user, i, &command) &&
         apw_kick_run(watch->doveadm, DOVEADM_LIMIT_S, &command, &error) != 0)) {
        say(watch, &watch->kicking, session->who.name, error.text);
        return;
    }
    if (!command.is_by_field)
        user->cleared = user->last_end;
    if (session->kicks++ == 0 && !is_repeated(user, i, &command))
        log_kick(watch, session);
    if (session->kicks > KICKS_TRIED)
        say(watch, &watch->kicking, session->who.name,
            "still connected after \"doveadm kick\"; see app-password-watch(8)");
}

static void kick_user(struct apw_watch *watch, struct apw_table_user *user)
{
    bool was_kicked = apw_table_is_kicked(user);

    for (size_t i = 0; i < user->count; i++)
        if (user->session[i].is_lost)
            kick_session(watch, user, i);
    if (!was_kicked && apw_table_is_kicked(user))
        apw_kick_note(&watch->limit, apw_clock_monotonic_ms());
}

/* The reason that most of them have in common, roughly: that of the first. */
static const char *reason_of_first(const struct apw_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        for (size_t j = 0; j < table->user[i].count; j++)
            if (table->user[i].session[j].is_lost)
                return apw_reason_name(table->user[i].session[j].reason);
    return "-";
}

static void hold(struct apw_watch *watch, size_t lost)
{
    int64_t now = apw_clock_monotonic_ms();
    char text[512];

    if (watch->held_at != 0 && now - watch->held_at < HELD_AGAIN_MS)
        return;
    watch->held_at = now;
    snprintf(text, sizeof text,
             "watch: SESSIONS WAIT: %zu users would be disconnected, the first because of %s; more "
             "than %u within a minute need your word. If that is right: systemctl kill -s USR1 "
             "app-password-watch",
             lost, reason_of_first(&watch->table), watch->config->watch_kick_max);
    apw_log_warning(watch->log, text);
}

/* Looks again before each kick, unless this round has. Returns how many users wait. */
static size_t end_sessions(struct apw_watch *watch, int64_t deadline_ms)
{
    size_t unkicked = apw_table_count_unkicked(&watch->table);

    if (unkicked == 0)
        apw_kick_settle(&watch->limit);
    if (!apw_kick_is_allowed(&watch->limit, unkicked, apw_clock_monotonic_ms())) {
        hold(watch, unkicked);
        return unkicked;
    }
    watch->held_at = 0;
    for (size_t i = 0; i < watch->table.count && apw_clock_remaining_ms(deadline_ms) > 0; i++) {
        struct apw_table_user *user = &watch->table.user[i];

        if (!apw_table_is_lost(user))
            continue;
        if ((user->looked == watch->round || look_at(watch, user)) && apw_table_is_lost(user))
            kick_user(watch, user);
    }
    say_over(watch, &watch->kicking, "all sessions that should end have ended");
    return 0;
}

/* ---- the whole ---- */

static void remember(struct apw_watch *watch, int64_t started, size_t waiting)
{
    const struct apw_heartbeat heartbeat = {.time = started,
                                            .interval = watch->config->watch_interval_s,
                                            .users = apw_table_count_connected(&watch->table),
                                            .waiting = waiting};
    struct apw_error error = {""};
    int status = apw_memory_write_heartbeat(watch->folder, &heartbeat, &error);

    if (status == 0)
        status = apw_memory_save(watch->folder, &watch->table, &error);
    if (status != 0)
        say(watch, &watch->remembering, "a restart will forget", error.text);
    say_over(watch, &watch->remembering, "the files are written again");
}

int64_t apw_watch_round(struct apw_watch *watch)
{
    int64_t interval_ms = watch->config->watch_interval_s * 1000, begin = apw_clock_monotonic_ms();
    int64_t started = time(NULL);

    watch->round++;
    watch->is_soon = false;
    if (list_sessions(watch) != 0 || read_changes(watch) != 0)
        return interval_ms;
    look_around(watch, begin + interval_ms);
    remember(watch, started, end_sessions(watch, apw_clock_monotonic_ms() + interval_ms));
    if (watch->is_soon && interval_ms > SOON_MS)
        return SOON_MS;
    return apw_clock_remaining_ms(begin + interval_ms);
}

void apw_watch_release(struct apw_watch *watch)
{
    if (apw_table_count_unkicked(&watch->table) == 0) {
        apw_log_warning(watch->log, "watch: no sessions wait, so there is nothing to release");
        return;
    }
    watch->limit.is_released = true;
    apw_log_warning(watch->log, "watch: the sessions that wait are released by an administrator");
}

static void add_changes(struct apw_watch *watch, struct apw_changes changes)
{
    changes.page_ms = watch->config->timeout_ms;
    changes.newest = time(NULL) - FIRST_CHANGES_S;
    changes.seen_ms = apw_clock_monotonic_ms();
    watch->changes[watch->change_count++] = changes;
}

int apw_watch_begin(struct apw_watch *watch, struct apw_error *error)
{
    const struct apw_config *config = watch->config;
    int64_t now = time(NULL), last = apw_memory_read_heartbeat(watch->folder);

    watch->since = (last > 0 && last <= now ? last : now - APW_CHANGES_OVERLAP_S) - CLOCK_SLACK_S;
    watch->limit.max = config->watch_kick_max;
    add_changes(watch, (struct apw_changes){.directory = watch->directory,
                                            .type = config->directory,
                                            .base = config->base,
                                            .scope = config->scope});
    if (watch->store != NULL)
        add_changes(watch, (struct apw_changes){.directory = watch->store,
                                                .base = config->store.base,
                                                .scope = APW_SCOPE_ONE});
    if (config->login_attribute != NULL &&
        apw_tags_new(APW_NAME_S, APW_NAMES_MAX, &watch->names, error) != 0)
        return -1;
    if (apw_memory_load(watch->folder, watch->since, &watch->table, error) != 0)
        apw_log_warning(watch->log, error->text); /* look at everybody as if for the first time */
    return 0;
}

void apw_watch_end(struct apw_watch *watch)
{
    apw_tags_free(&watch->names);
    apw_table_free(&watch->table);
}
