/*
 * spans: where the time of a login goes; for tests/bench/profile.
 */
#ifndef APW_BENCH_SPANS_H
#define APW_BENCH_SPANS_H

/* Forgets what was counted. */
void spans_reset(void);

/* Prints a line for each span: what it is, and the microseconds of one login. */
void spans_print(unsigned logins);

#endif
