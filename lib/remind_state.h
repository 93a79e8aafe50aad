/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_state: what the last run of app-password-portal --remind on this host came to, in a file
 * that the doctor reads:
 *
 *   began 1795947300
 *   time 1796033700
 *   sent 12 failed 1 held 0 without-address 3 revoked 2
 *   error alice: mail_relay 127.0.0.1:25: …
 *
 * The last line is missing if nothing went wrong.
 */
#ifndef APW_REMIND_STATE_H
#define APW_REMIND_STATE_H

#include "error.h"
#include <stdint.h>

#define APW_REMIND_STATE_FOLDER "/var/lib/app-password-portal"

struct apw_remind_counts {
    unsigned sent;
    unsigned failed;          /* and will not be sent */
    unsigned held;            /* for the next run */
    unsigned without_address; /* users */
    unsigned revoked;         /* app passwords */
};

struct apw_remind_state {
    int64_t began; /* when reminders were turned on, seconds since 1970 */
    int64_t time;  /* of the last run */
    struct apw_remind_counts counts;
    struct apw_error error; /* the last one; "" for none */
};

/* Reads the file, which is in $STATE_DIRECTORY, or else in APW_REMIND_STATE_FOLDER. All zeroes if
 * there is none; -1 if it cannot be read. */
int apw_remind_state_read(struct apw_remind_state *state_r, struct apw_error *error);

/* Removes the file, if there is one: reminders are off, and begin again when they are on. */
int apw_remind_state_remove(struct apw_error *error);

/* Replaces the file, or leaves it as it was. */
int apw_remind_state_write(const struct apw_remind_state *state, struct apw_error *error);

#endif
