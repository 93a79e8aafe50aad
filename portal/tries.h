/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tries: the tries of a second factor, charged to the browser if it is known (web/browser.h), else
 * to the client's network and to the account.
 */
#ifndef APW_TRIES_H
#define APW_TRIES_H

#include "request.h"

/* Charges a try; false while there is waiting time left. */
bool apw_tries_take(const struct apw_request *request);

/* After the right code. Tries from other networks still count. */
void apw_tries_forget(const struct apw_request *request);

/* Charges a code by mail, as above; the network's share leaves some for others. */
bool apw_tries_take_mail(const struct apw_request *request);

/* It could not be sent. */
void apw_tries_give_back_mail(const struct apw_request *request);

/* The browser's mark if this person has passed the second step in it before, else NULL. */
const char *apw_tries_browser(const struct apw_request *request);

#endif
