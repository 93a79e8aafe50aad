/*
 * batch: the users that a command is about, one after the other.
 */
#ifndef APW_BATCH_H
#define APW_BATCH_H

#include "command.h"
#include "user.h"

/* What is done with each. `name` is for people. Says what came of it, on standard output if good.
 */
typedef enum apw_manage_result (*apw_batch_run)(const struct apw_manager *manager,
                                                const struct apw_target *target, const char *name,
                                                void *context);

/* Who they are. */
struct apw_batch {
    int count; /* names as typed; "-" stands for the lines of standard input */
    char **name;
    const char *filter; /* or every entry that matches; NULL */
};

/* Runs `run` for each, with progress on a terminal, and a sum at the end where there are several.
 * Some may fail and leave the rest done; where the directory is unavailable the rest is left, and
 * said so. */
enum apw_status apw_batch_run_each(const struct apw_manager *manager, const struct apw_batch *batch,
                                   apw_batch_run run, void *context);

#endif
