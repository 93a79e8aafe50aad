/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guessing: keeps those who know the account password from guessing the second factor, and the
 * owner from being kept out by them.
 *
 * So many codes a day are looked at from browsers that are not known, counted in the directory
 * (lib/guesses.h). The owner gets a mail about wrong ones, with a link that makes the browser that
 * opens it a known one.
 */
#ifndef APW_GUESSING_H
#define APW_GUESSING_H

#include "request.h"

/* Charges a code before it is looked at. ACCEPTED at once in a known browser; REFUSED if there were
 * too many today. */
enum apw_verdict apw_guessing_charge(const struct apw_request *request, struct apw_error *error);

/* The code was right. */
void apw_guessing_give_back(struct apw_request *request);

/* The code was wrong, or not looked at: tells the owner if there were many, once a day. */
void apw_guessing_tell(struct apw_request *request);

/* Somebody keeps the owner out in another way, or guesses in a browser that is known. */
void apw_guessing_tell_at_once(struct apw_request *request);

/* GET and POST this-browser/…: the link in that mail. */
void apw_guessing_show_link(struct apw_request *request);
void apw_guessing_do_link(struct apw_request *request);

#endif
