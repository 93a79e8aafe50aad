/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker: a fixed number of threads that do jobs, and one that finishes those that end later.
 *
 * A job that must not end before a certain moment waits in a list, not in a thread.
 */
#ifndef APW_WORKER_H
#define APW_WORKER_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

/* The first member of the owner's struct, all zeroes at first. */
struct apw_worker_job {
    struct apw_worker_job *next;
    int64_t due_ms; /* monotonic; set by work(): it is finished then, 0 for at once */
};

struct apw_worker_settings {
    void *context; /* borrowed; for the functions, which run in many threads */
    unsigned count;
    void (*work)(void *context, struct apw_worker_job *job);
    void (*finish)(void *context, struct apw_worker_job *job); /* must not wait */
};

struct apw_workers;

int apw_workers_start(const struct apw_worker_settings *settings, struct apw_workers **workers_r,
                      struct apw_error *error);

/* False, and does nothing, once apw_workers_end() was called. */
bool apw_worker_give(struct apw_workers *workers, struct apw_worker_job *job);

/* Waits for running jobs, and finishes all others at once, even those that have not started. */
void apw_workers_end(struct apw_workers *workers);
void apw_workers_free(struct apw_workers **workers); /* after they have ended; takes NULL */

#endif
