/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sign_in: how a user signed in, as text that the host keeps with the session. Pure.
 *
 *   k7q2:alice                with the app password k7q2
 *   account-password:alice    with the account password
 *
 * doveadm can end the sessions with one such text alone. It takes the text as a pattern, so "*" and
 * "?" in the name are written as "=2A" and "=3F", and "=" as "=3D".
 */
#ifndef APW_SIGN_IN_H
#define APW_SIGN_IN_H

#include "event.h"

#define APW_SIGN_IN_ACCOUNT_PASSWORD "account-password"
#define APW_SIGN_IN_SIZE             (sizeof APW_SIGN_IN_ACCOUNT_PASSWORD + 3 * APW_LOGIN_SIZE)

/* The text for a login that was accepted. */
void apw_sign_in_format(const struct apw_event *event, char text_r[APW_SIGN_IN_SIZE]);

#endif
