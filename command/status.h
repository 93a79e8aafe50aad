/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status: the exit statuses.
 */
#ifndef APW_STATUS_H
#define APW_STATUS_H

#include "user.h"

/* The larger ones are those of sysexits(3). */
enum apw_status {
    APW_STATUS_DONE = 0,
    APW_STATUS_FAILED = 1, /* refused, not found, some of many failed */
    APW_STATUS_USAGE = 64,
    APW_STATUS_UNAVAILABLE = 75,
    APW_STATUS_NOT_PERMITTED = 77,
    APW_STATUS_CONFIGURATION = 78,
};

enum apw_status apw_status_of(enum apw_manage_result result);

#endif
