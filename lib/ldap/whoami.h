/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * whoami: asks the server who it takes us for ("Who am I?", RFC 4532).
 */
#ifndef APW_LDAP_WHOAMI_H
#define APW_LDAP_WHOAMI_H

#include "error.h"
#include "ldap/connection.h"
#include "ldap/result.h"

/* Asks on a bound connection. The argument is a char ** that is NULL. It gets the answer without
 * the prefix "dn:": a DN, or a name such as "u:alice@EXAMPLE.ORG"; it stays NULL for anonymous. The
 * caller frees it. */
enum apw_connection_state apw_whoami_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error);

#endif
