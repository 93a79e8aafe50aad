/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passwords: creates and revokes app passwords.
 */
#ifndef APW_PASSWORDS_H
#define APW_PASSWORDS_H

#include "request.h"

/* POST create, rename, revoke, revoke-all. */
void apw_passwords_do_create(struct apw_request *request);
void apw_passwords_do_rename(struct apw_request *request);
void apw_passwords_do_revoke(struct apw_request *request);
void apw_passwords_do_revoke_all(struct apw_request *request);

#endif
