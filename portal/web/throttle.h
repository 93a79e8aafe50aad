/*
 * throttle: waiting times after wrong tries, by whatever a try counts against.
 *
 * A try is paid for before it is made and given back where it turns out right, so that a hundred at
 * the same moment are no cheaper than a hundred in a row. Kept in memory, in a table of fixed size;
 * when it is full, what has been quiet the longest is forgotten. Thread-safe.
 */
#ifndef APW_THROTTLE_H
#define APW_THROTTLE_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_throttle;

/* How waiting grows: `free` tries without any, then `base_s` seconds, doubled each time up to
 * `most_s`. All is forgotten an hour after the last try. */
struct apw_patience {
    unsigned free;
    unsigned base_s;
    unsigned most_s;
};

int apw_throttle_new(struct apw_throttle **throttle_r, struct apw_error *error);
void apw_throttle_free(struct apw_throttle **throttle);

/* Pays for a try against `what` and `whom` ("password", "192.0.2.0/24"). False, and nothing is
 * paid, while there is waiting to do. `now_ms` is a moment of apw_clock_monotonic_ms(). */
bool apw_throttle_take(struct apw_throttle *throttle, const char *what, const char *whom,
                       const struct apw_patience *patience, int64_t now_ms);

/* Gives the last try back: it was right, or could not be made. */
void apw_throttle_give_back(struct apw_throttle *throttle, const char *what, const char *whom);

/* Forgets every try. */
void apw_throttle_forget(struct apw_throttle *throttle, const char *what, const char *whom);

#endif
