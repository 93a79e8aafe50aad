/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids: whether id_attribute names each user's entry in the store.
 */
#ifndef APW_DOCTOR_IDS_H
#define APW_DOCTOR_IDS_H

#include "doctor/view.h"

/* Reads it of the first users whom the filter finds. `view` is that of the users, with a store. */
void apw_doctor_ids_check(const struct apw_doctor_view *view);

#endif
