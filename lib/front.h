/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front: the configuration, directory and log around the decision, for all front ends.
 */
#ifndef APW_FRONT_H
#define APW_FRONT_H

#include "error.h"
#include "verify.h"
#include <stdbool.h>

/* A front end: configuration, directory and log of one host program. */
struct apw_front;

/* Reads the configuration, prepares TLS, opens the log: call it before chroot(). With a broken
 * configuration *front_r answers APW_UNAVAILABLE to everything, and error->text says why (otherwise
 * it is ""). -1 only without memory or random numbers. */
int apw_front_open(const char *config_path, struct apw_front **front_r, struct apw_error *error);
void apw_front_close(struct apw_front **front);

/* Decides and logs. With `wait`, a refusal returns no earlier than refusal_delay after the call. */
void apw_front_verify(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                      struct apw_decision *decision_r);

/* As above, for hosts that pass on the login as typed: removes white space and invisible characters
 * from both ends. */
void apw_front_verify_typed(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                            struct apw_decision *decision_r);

/* If logins are not logged, returns true once, with the reason for the host's own log. */
bool apw_front_take_loss(struct apw_front *front, struct apw_error *loss_r);

/* Whether the login, as typed, belongs to a user; checks no password. A lookup is not a login: it
 * logs a line only if there is no answer, and that line has no verdict. */
enum apw_existence apw_front_look_up(struct apw_front *front, const struct apw_attempt *attempt,
                                     struct apw_decision *decision_r);

/* How long a refusal should take, in milliseconds from its start, for hosts that do the waiting. */
int apw_front_refusal_delay_ms(const struct apw_front *front);

#endif
