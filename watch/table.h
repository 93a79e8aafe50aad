/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: the users who are connected, and what is known of them and their sessions. Pure.
 */
#ifndef APW_TABLE_H
#define APW_TABLE_H

#include "reason.h"
#include "who.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_table_session {
    struct apw_who_session who;
    /* By which it may have been opened, such as "k7q2 account-password", if Dovecot does not say;
     * NULL if nobody has looked yet. */
    char *ways;

    int64_t opened_after; /* seconds since 1970 */
    unsigned kicks;       /* tried so far */

    bool is_lost; /* the last look found that its way in is gone: */
    enum apw_reason reason;
    char lost_way[APW_WAY_SIZE]; /* "" if the whole account is concerned */
};

/* The user's entry, or the one in the store. */
struct apw_table_place {
    char *dn;       /* NULL if there is none */
    char stamp[32]; /* of the last change that we know of */
};

struct apw_table_user {
    char *name;
    size_t count;  /* 0: the last session has ended lately */
    unsigned gone; /* rounds ago */
    struct apw_table_session *session;

    struct apw_table_place place[2];
    char *ways;        /* that stood at the last look, if Dovecot does not say by which; or NULL */
    bool is_known;     /* the directory has had this user */
    unsigned absences; /* looks in a row that did not find the user */
    unsigned changed;  /* urgent looks that are due, one in each round */
    bool due;          /* a look is due */
    int64_t until;     /* look again then, whatever happens; seconds since 1970 */
    uint64_t looked;   /* the last round in which somebody looked */
    int64_t last_end;  /* when the last of the user's app passwords ended that a look has seen */
    int64_t cleared;   /* that of the last kick: sessions that are new since then are younger */
};

struct apw_table {
    size_t count;
    struct apw_table_user *user; /* sorted by name */
};

/* Users without sessions are remembered for so many rounds: they may come back at once. */
#define APW_TABLE_GONE_ROUNDS 12

/* Takes over the sessions, and forgets the users and sessions that are gone. New sessions were
 * opened after `since`, and make a look due. Fails without memory, and then changes nothing. */
int apw_table_update(struct apw_table *table, struct apw_who *who, int64_t since);

/* A change of an entry. */
struct apw_table_change {
    const char *dn;
    const char *stamp;
};

/* The entries of the users, to find changes in. */
struct apw_table_index {
    size_t count;
    struct apw_table_entry *entry;
};

/* Fails without memory. The index borrows the table. */
int apw_table_index(struct apw_table *table, struct apw_table_index *index_r);
void apw_table_index_free(struct apw_table_index *index);

/* Makes two urgent looks due if a user has the entry and the stamp is new: an entry may
 * change again within the same second. */
void apw_table_note_change(const struct apw_table_index *index,
                           const struct apw_table_change *change);

/* Makes a look at everybody due. */
void apw_table_expect_all(struct apw_table *table);

/* Whether one of the user's sessions has lost its way in. */
bool apw_table_is_lost(const struct apw_table_user *user);

/* Whether such a session has been kicked; it may still be there. */
bool apw_table_is_kicked(const struct apw_table_user *user);

/* The number of users with sessions. */
size_t apw_table_count_connected(const struct apw_table *table);

/* The number of users who would lose sessions now, and have not been kicked. */
size_t apw_table_count_unkicked(const struct apw_table *table);

/* Whether the list of ways has the way. */
bool apw_table_has_way(const char *ways, const char *way);

void apw_table_free(struct apw_table *table);

#endif
