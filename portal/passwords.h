/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passwords: lists, creates, shows and revokes app passwords.
 */
#ifndef APW_PASSWORDS_H
#define APW_PASSWORDS_H

#include "request.h"

/* The pages, each for GET or POST. */
void apw_passwords_show_list(struct apw_request *request);
void apw_passwords_do_create(struct apw_request *request);
void apw_passwords_show_new(struct apw_request *request);
void apw_passwords_show_profile(struct apw_request *request);
void apw_passwords_do_revoke(struct apw_request *request);
void apw_passwords_do_revoke_all(struct apw_request *request);

#endif
