/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portal: the self-service page's own test of its configuration.
 */
#ifndef APW_DOCTOR_PORTAL_H
#define APW_DOCTOR_PORTAL_H

#include "doctor/diagnosis.h"
#include "identity.h"
#include <stdbool.h>

/* `path` is app-password.conf, beside which portal.conf lies. */
void apw_doctor_portal_check(struct apw_diagnosis *diagnosis, const char *path);

/* The page's identity in the store, from the same portal.conf; false if there is none that can be
 * read. The caller wipes it. */
bool apw_doctor_portal_read_store_identity(const char *path, struct apw_identity *identity_r);

#endif
