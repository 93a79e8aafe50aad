/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness: over which connection the MFA witness was last seen, and when.
 *
 * One atomic word, so any thread may read it at any time. A child of fork() inherits the word, but
 * never uses its parent's connection, and its own connections have other numbers.
 */
#ifndef APW_WITNESS_H
#define APW_WITNESS_H

#include <stdatomic.h>
#include <stdint.h>

/* How long a connection may go without seeing the witness again, in seconds. */
#define APW_WITNESS_S 60

/* Starts zeroed: not seen. */
struct apw_witness {
    _Atomic uint64_t seen;
};

/* Notes that the witness was seen over the connection with that serial number. `at` is the moment
 * before it was asked for, by apw_clock_monotonic_ms(). */
void apw_witness_note(struct apw_witness *witness, uint32_t connection, int64_t at);

/* The connection over which the witness was seen less than APW_WITNESS_S before `now`; 0 if over
 * none. */
uint32_t apw_witness_connection(const struct apw_witness *witness, int64_t now);

#endif
