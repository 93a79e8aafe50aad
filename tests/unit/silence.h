/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * silence: for a client that waits for a server which stays silent, the time passes at once. So a
 * timeout may be long, and a server that does answer has enough time on a busy machine, too.
 *
 * A program that uses it is linked with LINK_SILENCE. Time passes as usual until silence_begin().
 */
#ifndef APW_UNIT_SILENCE_H
#define APW_UNIT_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

/* How far the clock is ahead. A test may set it; silence_begin() and silence_end() set it to 0. */
extern _Atomic int64_t skipped_ms;

void silence_begin(void);
void silence_end(void);

/* For the responder's function: this request gets no answer, and its client waits for one. Returns
 * true. */
bool silence_keep(void);

#endif
