/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_bind: binds as the identity of a program, and not as a user who signs in. For lib/ldap/
 * only.
 */
#ifndef APW_SERVICE_BIND_H
#define APW_SERVICE_BIND_H

#include "error.h"
#include "identity.h"
#include "ldap/connection.h"
#include "ldap/result.h"

/* Binds a connection that was just opened. -1: it is lost, and *result_r says why. */
int apw_service_bind(struct apw_connection *connection, const struct apw_identity *identity,
                     enum apw_ldap_result *result_r, struct apw_error *error);

#endif
