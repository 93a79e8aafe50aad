/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new_password: a new app password, from the moment it is made: shown once, with the settings of
 * the mail servers, as a QR code for Thunderbird for Android, and for ten minutes as a profile for
 * Apple devices.
 */
#ifndef APW_NEW_PASSWORD_H
#define APW_NEW_PASSWORD_H

#include "request.h"

/* Keeps it for the pages below. */
void apw_new_password_keep(struct apw_request *request, const struct apw_password *password,
                           const char *label, const char *services);

/* The same form came again, because the button was pressed twice: whether GET password shows the
 * new one with that label (NULL: any), once more if it did so moments ago. */
bool apw_new_password_show_again(struct apw_visitor *visitor, const char *label);

/* Forgets one that was shown, once the link to its profile has ended and `exchange`, the next
 * request, is no such form. */
void apw_new_password_forget_old(struct apw_visitor *visitor, const struct apw_exchange *exchange);

/* Whether the page of one that reads and sends mail has the QR code for Thunderbird in this
 * browser. */
bool apw_new_password_has_transfer(const struct apw_request *request);

/* GET password, GET profile/… */
void apw_new_password_show(struct apw_request *request);
void apw_new_password_show_profile(struct apw_request *request);

#endif
