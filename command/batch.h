/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch: runs a command for each of several users.
 */
#ifndef APW_BATCH_H
#define APW_BATCH_H

#include "status.h"
#include "user.h"

/* Called for each user. `name` is for people. Prints the result, on standard output if good. */
typedef enum apw_manage_result (*apw_batch_run)(const struct apw_manager *manager,
                                                const struct apw_target *target, const char *name,
                                                void *context);

/* Which users. */
struct apw_batch {
    int count; /* names as typed; "-" stands for the lines of standard input */
    char **name;
    bool is_literal;    /* "-" is a name like any other */
    const char *filter; /* instead of names: every entry that matches; NULL */
};

/* Runs `run` for each, with progress on a terminal and, if there are several, a sum at the end.
 * Goes on after a failure, but stops with a message if the directory is unavailable. */
enum apw_status apw_batch_run_each(const struct apw_manager *manager, const struct apw_batch *batch,
                                   apw_batch_run run, void *context);

#endif
