/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writers: whether all pages write to one server.
 */
#ifndef APW_DOCTOR_WRITERS_H
#define APW_DOCTOR_WRITERS_H

#include "doctor/view.h"

/* A code of an authenticator app works once because its use is written on one server, which accepts
 * one of two writers. On two servers that both take changes it may work twice. Looks only if this
 * host has the page's portal.conf. */
void apw_doctor_writers_check(const struct apw_doctor_view *view);

#endif
