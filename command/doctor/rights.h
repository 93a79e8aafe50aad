/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rights: what the mail server, the administrator, a user and anonymous may read and write.
 *
 * To test a right to write, the doctor deletes a value that the entry does not have. The server
 * checks the right first, and nothing changes.
 */
#ifndef APW_DOCTOR_RIGHTS_H
#define APW_DOCTOR_RIGHTS_H

#include "doctor/view.h"

/* Asks each server of `uri` and `write_uri` on its own. With `as_password`, also checks the rights
 * of the user `as_dn` to their own entry. */
void apw_doctor_rights_check(const struct apw_doctor_view *view, const char *as_dn,
                             const char *as_password);

#endif
