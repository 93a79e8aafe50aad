/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_mail: codes sent to an alternate address as a second factor.
 */
#ifndef APW_FACTOR_MAIL_H
#define APW_FACTOR_MAIL_H

#include "request.h"

/* Sends a code. NONE if all went well, else the text that says why not. */
enum apw_text apw_factor_mail_send(struct apw_request *request, const char *address);

/* Checks the typed code against the one sent to the method's address; a right one is used up. */
enum apw_reason apw_factor_mail_check(const struct apw_request *request,
                                      const struct apw_method *method);

/* The page that asks for the code of the enrolled address. */
void apw_factor_mail_show_challenge(struct apw_request *request);

/* GET and POST contact: choose the address. GET contact-code: verify it. */
void apw_factor_mail_show_contact(struct apw_request *request);
void apw_factor_mail_do_contact(struct apw_request *request);
void apw_factor_mail_show_code(struct apw_request *request);

#endif
