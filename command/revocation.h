/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * revocation: what was revoked, for --wait.
 */
#ifndef APW_REVOCATION_H
#define APW_REVOCATION_H

#include "password.h"
#include <stddef.h>

/* Zeroed at first; owns its items. */
struct apw_revocations {
    size_t count;
    struct apw_revocation {
        char *dn;
        char id[APW_ID_LENGTH + 1]; /* "" for every app password of the entry */
    } * item;
};

/* Adds one; -1 if out of memory. */
int apw_revocations_add(struct apw_revocations *revocations, const char *dn, const char *id);
void apw_revocations_clear(struct apw_revocations *revocations);

#endif
