/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender: a user whose mail address and accepted name can be compared.
 */
#ifndef APW_DOCTOR_SENDER_H
#define APW_DOCTOR_SENDER_H

#include "doctor/view.h"

/* What mail servers compare: an address of a user, and the accepted name of the user's logins.
 * Without login_attribute that is what was typed: another value that filter looks for, or the
 * address. */
struct apw_doctor_sender {
    char address[256];
    char name[256];
};

/* Finds a user with a mail address whose account has not ended; `view` is that of the users. */
bool apw_doctor_sender_find(const struct apw_doctor_view *view, struct apw_doctor_sender *sender_r);

#endif
