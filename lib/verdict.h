/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict: how a login ends.
 */
#ifndef APW_VERDICT_H
#define APW_VERDICT_H

/* Zeroed memory is a refusal. */
enum apw_verdict { APW_REFUSED = 0, APW_ACCEPTED, APW_UNAVAILABLE };

/* "refused", "accepted" or "unavailable". */
const char *apw_verdict_name(enum apw_verdict verdict);

#endif
