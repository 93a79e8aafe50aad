/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gssapi: binds with the Kerberos ticket of the calling user (SASL GSSAPI, RFC 4752). For lib/ldap/
 * only.
 *
 * The server is known by the host name of its URI. GSSAPI adds no encryption of its own: TLS does
 * that, and Active Directory refuses both at once.
 */
#ifndef APW_GSSAPI_H
#define APW_GSSAPI_H

#include "error.h"
#include "ldap/connection.h"
#include "ldap/result.h"

/* As apw_service_bind(). The Kerberos library asks the KDC in its own time, which `deadline` does
 * not limit. */
int apw_gssapi_bind(struct apw_connection *connection, enum apw_ldap_result *result_r,
                    struct apw_error *error);

#endif
