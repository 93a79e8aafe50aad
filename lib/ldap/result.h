/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result: how an operation on the directory ended.
 */
#ifndef APW_LDAP_RESULT_H
#define APW_LDAP_RESULT_H

#include "error.h"

/* Everything but APW_LDAP_OK left its reason in the error. The numbers are result codes (RFC 4511,
 * appendix A). */
enum apw_ldap_result {
    APW_LDAP_UNAVAILABLE = 0, /* no answer, or an unexpected one */
    APW_LDAP_OK,
    APW_LDAP_NO_SUCH_OBJECT, /* 32 */
    APW_LDAP_NOT_PERMITTED,  /* 50, or the service's own bind failed: 48, 49 */
    APW_LDAP_CONFLICT,       /* 16, 20: the entry has changed, read it again */
    APW_LDAP_READ_ONLY,      /* 10, 53: this server takes no changes; it may be a replica */
    APW_LDAP_REFUSED,        /* schema, constraint, a size limit, … */
};

/* How an operation leaves the connection. After LOST, the same operation may run on another
 * connection. */
enum apw_connection_state { APW_CONNECTION_GOOD = 0, APW_CONNECTION_LOST };

struct apw_connection;

/* Runs an operation on a connection. */
typedef enum apw_connection_state (*apw_operation)(struct apw_connection *connection,
                                                   void *argument, enum apw_ldap_result *result_r,
                                                   struct apw_error *error);

#endif
