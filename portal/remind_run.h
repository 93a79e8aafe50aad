/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_run: one run of app-password-portal --remind: what it works with, and what became of it so
 * far.
 */
#ifndef APW_REMIND_RUN_H
#define APW_REMIND_RUN_H

#include "portal.h"
#include "remind_rules.h"
#include "remind_state.h"
#include <signal.h>
#include <stdbool.h>

/* A run. Borrowed. */
struct apw_remind_run {
    const struct apw_portal *portal;
    struct apw_manager manager; /* reads APW_REMIND_LANGUAGE_ATTRIBUTE, too */
    struct apw_remind_rules rules;
    struct apw_remind_state state;
    const volatile sig_atomic_t *stop; /* set: end soon */
    int64_t next_ms;                   /* no mail before: apw_clock_monotonic_ms() */
    unsigned troubles;                 /* one after another */
    int exit_status;                   /* of the worst failure so far */
};

#define APW_REMIND_TROUBLES 3 /* then the rest waits for the next run */

/* Whether to go on. */
bool apw_remind_run_goes_on(const struct apw_remind_run *run);

/* Notes a failure of the directory or the relay. */
void apw_remind_run_note(struct apw_remind_run *run, const char *user, int exit_status,
                         const struct apw_error *error);

/* sysexits(3) for a result that is neither DONE nor UNCHANGED. */
int apw_remind_run_status_of(enum apw_manage_result result);

/* The name for a terminal. */
const char *apw_remind_run_printable(const char *name);

#endif
