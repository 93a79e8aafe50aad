/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_rights: who may read and write what on one server of the store. examples/store/slapd.conf
 * has the rules.
 */
#ifndef APW_DOCTOR_STORE_RIGHTS_H
#define APW_DOCTOR_STORE_RIGHTS_H

#include "doctor/probe.h"
#include <stdbool.h>

void apw_doctor_store_rights_check_reading(const struct apw_doctor_place *place);

/* Returns false if the server takes no changes: it is a replica, whose provider decides. */
bool apw_doctor_store_rights_check_writing(const struct apw_doctor_place *place);

#endif
