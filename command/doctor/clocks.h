/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clocks: whether a server of the directory and this host have the same time. Expiry, announced MFA
 * and the order of changes in replication depend on it.
 */
#ifndef APW_DOCTOR_CLOCKS_H
#define APW_DOCTOR_CLOCKS_H

#include "doctor/view.h"
#include <stdint.h>

/* Asks the server at `uri` for its time, which not every one tells. */
void apw_doctor_clocks_check(const struct apw_doctor_view *view, const char *uri,
                             struct apw_directory *directory);

/* A time at which something was changed there, in seconds since 1970, may not be in the future. */
void apw_doctor_clocks_check_change(const struct apw_doctor_view *view, const char *uri,
                                    int64_t changed);

#endif
