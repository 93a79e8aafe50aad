/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doubles: entries below the base that share a value of login_attribute.
 *
 * The mail server does not accept logins of these users by any other name. Reads the entries page
 * by page; a table of fixed size picks the values that may be repeated, and the server decides
 * about those by its own matching rule.
 */
#ifndef APW_DOCTOR_DOUBLES_H
#define APW_DOCTOR_DOUBLES_H

#include "doctor/view.h"

/* Without login_attribute there is nothing to check. */
void apw_doctor_doubles_check(const struct apw_doctor_view *view);

#endif
