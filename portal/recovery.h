/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recovery: ten codes, each of which replaces the second factor once. Pure.
 *
 * A code is shown as k7q2-9fjd-x3mh: twelve symbols of the app passwords' alphabet (60 bits). Only
 * hashes are kept, inside the seal.
 */
#ifndef APW_RECOVERY_H
#define APW_RECOVERY_H

#include "method.h"
#include <stdbool.h>

#define APW_RECOVERY_SYMBOLS    12
#define APW_RECOVERY_SHOWN_SIZE (APW_RECOVERY_SYMBOLS + 3)

/* As they are shown. `shown[0][0]` is NUL if there are none. Secret: wipe them. */
struct apw_recovery_codes {
    char shown[APW_METHOD_CODES][APW_RECOVERY_SHOWN_SIZE];
};

/* Makes new codes, and the method that keeps their hashes; its id must be set. */
void apw_recovery_make(struct apw_method *method, struct apw_recovery_codes *codes_r);

/* Whether `typed` is an unused code, with any spelling that apw_password_recognize() accepts. If
 * so, it is now used in *method: store it. */
bool apw_recovery_use(struct apw_method *method, const char *typed);

/* How many are unused. */
unsigned apw_recovery_left(const struct apw_method *method);

#endif
