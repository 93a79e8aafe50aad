/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_mail: codes sent to an alternate address as a second factor.
 */
#ifndef APW_FACTOR_MAIL_H
#define APW_FACTOR_MAIL_H

#include "request.h"

/* Sends a code in that mail. NONE if all went well, else the text that says why not. WAIT_MAIL: the
 * code before it stays good, and {minutes} says how long to wait. */
enum apw_text apw_factor_mail_send(struct apw_request *request, const char *address,
                                   const char *file);

/* Checks the typed code against the one sent to the method's address; a right one is used up. */
enum apw_reason apw_factor_mail_check(const struct apw_request *request,
                                      const struct apw_method *method);

/* Whether a code sent to that address in this session may still be entered. */
bool apw_factor_mail_has_code(const struct apw_request *request, const char *address);

/* Whether the address is in the mailbox that it would protect, or in another of the site's. */
bool apw_factor_mail_is_own(const struct apw_portal *portal, const struct apw_user *user,
                            const char *address);

/* Where a link that gives an app password may go: of the alternate addresses that the site allows
 * and that are not its own, the one used last, because mail was read there last. NULL if there is
 * none; borrowed from the account. */
const struct apw_method *apw_factor_mail_for_link(const struct apw_portal *portal,
                                                  const struct apw_account *account);

#define APW_FACTOR_MAIL_MASKED_SIZE (APW_MAIL_ADDRESS_SIZE + 8)

/* "a…z@example.net": enough to recognize one's own address. */
void apw_factor_mail_mask(const char *address, char masked_r[APW_FACTOR_MAIL_MASKED_SIZE]);

/* GET and POST contact: choose the address. GET contact-code: verify it. */
void apw_factor_mail_show_contact(struct apw_request *request);
void apw_factor_mail_do_contact(struct apw_request *request);
void apw_factor_mail_show_code(struct apw_request *request);

#endif
