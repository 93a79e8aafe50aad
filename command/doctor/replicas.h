/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replicas: whether all servers of the store have the same entries, and one of them takes the
 * changes.
 */
#ifndef APW_DOCTOR_REPLICAS_H
#define APW_DOCTOR_REPLICAS_H

#include "doctor/view.h"

/* Reads, as the administrator, when the entries of each server were changed, and where. Waits some
 * seconds for one that is behind. `view` is that of the store. */
void apw_doctor_replicas_check(const struct apw_doctor_view *view);

#endif
