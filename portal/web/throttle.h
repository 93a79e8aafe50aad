/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * throttle: waiting times after wrong tries.
 *
 * A try is charged before it is made and refunded if it was right, so a hundred at once cost as
 * much as a hundred in a row. Tries are counted in memory, in a table of fixed size; when it is
 * full, the entry quiet for longest is forgotten. Thread-safe.
 */
#ifndef APW_THROTTLE_H
#define APW_THROTTLE_H

#include "error.h"
#include "network.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_THROTTLE_NETWORK_SIZE (APW_ADDRESS_TEXT_SIZE + 4)

struct apw_throttle;

/* `free` tries cost nothing; the next waits `base_s` seconds, and each one after that twice as
 * long, up to `most_s`. An hour after the last try everything is forgotten. */
struct apw_patience {
    unsigned free;
    unsigned base_s;
    unsigned most_s;
    bool counts_polling; /* a try during the wait counts, too, and restarts the wait */
};

int apw_throttle_new(struct apw_throttle **throttle_r, struct apw_error *error);
void apw_throttle_free(struct apw_throttle **throttle);

/* Charges a try of `what` to `whom` ("password", "192.0.2.0"). While there is waiting time left, it
 * returns false and, unless polling counts, charges nothing. `now_ms` is monotonic. */
bool apw_throttle_take(struct apw_throttle *throttle, const char *what, const char *whom,
                       const struct apw_patience *patience, int64_t now_ms);

/* The waiting time that is left, in milliseconds. */
int64_t apw_throttle_wait_ms(struct apw_throttle *throttle, const char *what, const char *whom,
                             int64_t now_ms);

/* Rounded up, and at least one: for a text. */
unsigned apw_throttle_minutes(int64_t wait_ms);

/* Refunds the last try: it was right, or could not be made. */
void apw_throttle_give_back(struct apw_throttle *throttle, const char *what, const char *whom);

/* Forgets all tries. */
void apw_throttle_forget(struct apw_throttle *throttle, const char *what, const char *whom);

/* The network to which a client's tries are charged: its address; for IPv6 its /64; "-" if it is
 * unknown. */
void apw_throttle_network(const char *client, char network_r[APW_THROTTLE_NETWORK_SIZE]);

/* The same, but for IPv6 its /48, which one customer may have (RFC 6177). */
void apw_throttle_site(const char *client, char site_r[APW_THROTTLE_NETWORK_SIZE]);

#endif
