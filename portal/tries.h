/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tries: the tries of a code, charged to the browser if it is known (web/browser.h), else
 * to the client's network and to the account.
 */
#ifndef APW_TRIES_H
#define APW_TRIES_H

#include "request.h"

enum apw_tries_kind {
    APW_TRIES_FACTOR = 0, /* a second factor; portal/guessing.h counts those of the account */
    APW_TRIES_CODE,       /* an enrollment code */
    APW_TRIES_MAIL,       /* a request for a code by mail */
    APW_TRIES_COUNT
};

/* Charges a try; false while there is waiting time left. */
bool apw_tries_take(const struct apw_request *request, enum apw_tries_kind kind);

/* Whether unknown browsers in many networks have used up the account's tries. False in a known
 * browser. */
bool apw_tries_account_waits(const struct apw_request *request, enum apw_tries_kind kind);

/* How long to wait, for a text: rounded up, and at least one. */
unsigned apw_tries_wait_minutes(const struct apw_request *request, enum apw_tries_kind kind);

/* Refunds a try that could not be made. */
void apw_tries_give_back(const struct apw_request *request, enum apw_tries_kind kind);

/* After the right code. Tries from other networks still count. */
void apw_tries_forget(const struct apw_request *request, enum apw_tries_kind kind);

/* The browser's mark if this person has passed this second step in it before, else NULL. */
const char *apw_tries_browser(const struct apw_request *request);

#endif
