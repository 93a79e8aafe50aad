/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writers: whether all pages write to one server.
 */
#ifndef APW_DOCTOR_WRITERS_H
#define APW_DOCTOR_WRITERS_H

#include "doctor/view.h"

/* A code of an authenticator app works once because one server records its use and accepts only one
 * of two writers. With two servers that both take changes, it may work twice. Checks only if this
 * host has the page's portal.conf. */
void apw_doctor_writers_check(const struct apw_doctor_view *view);

#endif
