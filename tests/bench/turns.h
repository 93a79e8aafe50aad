/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns: everybody signs in once in each round, by several clients at once.
 */
#ifndef APW_BENCH_TURNS_H
#define APW_BENCH_TURNS_H

#include "operation.h"

struct turns {
    unsigned first; /* user */
    unsigned count; /* users */
    unsigned clients;
    unsigned rounds;
};

/* The clients are processes, each with the operation opened once. In a round, each takes the next
 * user until none is left, and waits for the others. Prints for each round a line: name, number of
 * the round, median and total microseconds of the calls, CPU microseconds of the clients,
 * microseconds of the round, and the hashes that the clients computed. */
void measure_turns(struct operation *operation, const struct turns *turns);

#endif
