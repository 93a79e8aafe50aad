/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphans: entries of the store whose id nobody in the users' directory has.
 */
#ifndef APW_DOCTOR_ORPHANS_H
#define APW_DOCTOR_ORPHANS_H

#include "doctor/view.h"
#include "user_entry.h"

/* Starts zeroed. */
struct apw_doctor_orphans {
    size_t entries;
    size_t orphans;
    char name[256]; /* of one of them */
};

void apw_doctor_orphans_count(struct apw_doctor_orphans *orphans, const struct apw_user *user);

/* Reports them, with the oldest; nothing without a store. `view` is that of the users. */
void apw_doctor_orphans_report(const struct apw_doctor_view *view,
                               const struct apw_doctor_orphans *orphans);

#endif
