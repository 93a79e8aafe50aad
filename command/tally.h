/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally: one exit status from the results for several users or ids.
 */
#ifndef APW_TALLY_H
#define APW_TALLY_H

#include "status.h"
#include <stdbool.h>

/* Zeroed at first. */
struct apw_tally {
    unsigned count;
    unsigned failed;
    enum apw_status status; /* of the first that failed */
    bool is_mixed;          /* they failed in different ways */
};

void apw_tally_add(struct apw_tally *tally, enum apw_status status);

/* DONE if none failed; their status if all failed alike; else FAILED. */
enum apw_status apw_tally_status(const struct apw_tally *tally);

#endif
