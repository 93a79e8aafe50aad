/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers: whether each server of the directory answers, accepts the mail server, and finds a user
 * fast.
 */
#ifndef APW_DOCTOR_SERVERS_H
#define APW_DOCTOR_SERVERS_H

#include "doctor/view.h"

/* Each URI of `uri` and `write_uri`, or of the store's, on its own, with its schema if our
 * attributes are there. */
void apw_doctor_servers_check(const struct apw_doctor_view *view);

#endif
