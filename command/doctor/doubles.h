/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doubles: entries below the base that share a value of login_attribute.
 *
 * The mail server accepts nobody who signs in by another name than such a value. The entries are
 * read page by page; a table of fixed size picks the values that may have been there before, and
 * the server itself is asked about those, by its own matching rule.
 */
#ifndef APW_DOCTOR_DOUBLES_H
#define APW_DOCTOR_DOUBLES_H

#include "doctor/view.h"

/* Without login_attribute there is nothing to check. */
void apw_doctor_doubles_check(const struct apw_doctor_view *view);

#endif
