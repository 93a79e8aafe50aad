/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: the two files of the watch in a folder of its own, which a restart keeps.
 *
 *   heartbeat   for others: "time 1796000000", "interval 5", "users 12", "waiting 0", one a line
 *   sessions    for itself: the table, so that nothing that ends during a restart is missed
 *
 * Each is written to a temporary file first.
 */
#ifndef APW_MEMORY_H
#define APW_MEMORY_H

#include "error.h"
#include "table.h"
#include <stddef.h>
#include <stdint.h>

struct apw_heartbeat {
    int64_t time;     /* of the last round in which Dovecot and the directory answered */
    int64_t interval; /* in seconds */
    size_t users;     /* who are connected */
    size_t waiting;   /* whose sessions should end, but wait for an administrator */
};

int apw_memory_write_heartbeat(const char *folder, const struct apw_heartbeat *heartbeat,
                               struct apw_error *error);

/* The time of the last heartbeat; 0 if there is none. */
int64_t apw_memory_read_heartbeat(const char *folder);

int apw_memory_save(const char *folder, const struct apw_table *table, struct apw_error *error);

/* Fills an empty table, which stays empty if nothing was saved. `since` is as for
 * apw_table_update(). */
int apw_memory_load(const char *folder, int64_t since, struct apw_table *table,
                    struct apw_error *error);

#endif
