/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spans: the time of a login, by span; for tests/bench/profile.
 */
#ifndef APW_BENCH_SPANS_H
#define APW_BENCH_SPANS_H

/* Resets the counts. */
void spans_reset(void);

/* Prints a line for each span: its name and its microseconds in one login. */
void spans_print(unsigned logins);

#endif
