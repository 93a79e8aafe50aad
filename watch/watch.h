/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch: one round: who is connected, what has changed, who has lost the way in, and a kick.
 *
 * An outage of the directory or of Dovecot ends the round; nobody is kicked. Single-threaded.
 */
#ifndef APW_WATCH_H
#define APW_WATCH_H

#include "changes.h"
#include "config.h"
#include "kick.h"
#include "log.h"
#include "table.h"
#include "tags.h"
#include "witness.h"
#include <stdbool.h>
#include <stdint.h>

/* What is wrong, logged once until it is right again. */
struct apw_watch_trouble {
    bool is_told;
    bool is_present; /* in this round */
};

struct apw_watch {
    const struct apw_config *config; /* borrowed, as are the next five */
    struct apw_directory *directory;
    struct apw_directory *store; /* NULL: there is none */
    struct apw_log *log;
    const char *doveadm;
    const char *folder;

    struct apw_tags *names; /* owned, or NULL */
    struct apw_witness mfa_witness;
    struct apw_witness disabled_witness;

    struct apw_table table; /* owned */
    struct apw_changes changes[2];
    size_t change_count;
    struct apw_kick_limit limit;
    bool has_checked_changes;

    uint64_t round;
    size_t next[3];  /* where the looks of each urgency go on */
    int64_t since;   /* all sessions of then are in the table; seconds since 1970 */
    int64_t held_at; /* when it was last said that sessions wait; monotonic */
    bool is_soon;    /* a second look should come soon */
    struct apw_watch_trouble dovecot, changing, looking, kicking, remembering;
};

/* Looks up what an earlier process knew, and prepares the first round. */
int apw_watch_begin(struct apw_watch *watch, struct apw_error *error);

/* Returns how long to wait until the next one, in milliseconds. */
int64_t apw_watch_round(struct apw_watch *watch);

/* An administrator says that all sessions that wait may be ended. */
void apw_watch_release(struct apw_watch *watch);

void apw_watch_end(struct apw_watch *watch);

#endif
