/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values: app passwords in the directory that are expired or unusable.
 */
#ifndef APW_DOCTOR_VALUES_H
#define APW_DOCTOR_VALUES_H

#include "doctor/view.h"

void apw_doctor_values_check(const struct apw_doctor_view *view);

#endif
