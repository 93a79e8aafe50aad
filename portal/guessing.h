/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guessing: stops an attacker who knows the account password from guessing the second factor, and
 * from locking the owner out.
 *
 * The page checks a limited number of codes a day from unknown browsers, counted in the directory
 * (lib/guesses.h). The owner gets a mail about wrong ones; its link makes the browser that opens it
 * a known one.
 */
#ifndef APW_GUESSING_H
#define APW_GUESSING_H

#include "request.h"

/* Charges a code before it is checked. ACCEPTED at once in a known browser; REFUSED after too many
 * today. */
enum apw_verdict apw_guessing_charge(const struct apw_request *request, struct apw_error *error);

/* The code was right. */
void apw_guessing_give_back(struct apw_request *request);

/* The code was wrong, or not checked: mails the owner after many, once a day. */
void apw_guessing_tell(struct apw_request *request);

/* Somebody keeps the owner out in another way, or guesses in a browser that is known. */
void apw_guessing_tell_at_once(struct apw_request *request);

/* GET and POST this-browser/…: the link in that mail. */
void apw_guessing_show_link(struct apw_request *request);
void apw_guessing_do_link(struct apw_request *request);

#endif
