/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user_bind: a simple bind as the user, with the password policy control
 * (draft-behera-ldap-password-policy), and the codes of Active Directory.
 */
#ifndef APW_USER_BIND_H
#define APW_USER_BIND_H

#include "error.h"
#include "ldap/result.h"
#include <stdbool.h>
#include <stddef.h>

struct apw_server;

enum apw_user_bind {
    APW_USER_BIND_UNAVAILABLE = 0,
    APW_USER_BIND_OK,
    APW_USER_BIND_WRONG,       /* 48, 49, 32 */
    APW_USER_BIND_LOCKED,      /* 19, 53, or the control says locked */
    APW_USER_BIND_DISABLED,    /* Active Directory says that the account has ended, or may not sign
                                  in now or from here */
    APW_USER_BIND_MUST_CHANGE, /* the control says so, or says that the password has expired */
};

/* The password is borrowed and need not end in NUL. It must not be empty: that would be an
 * anonymous bind, which succeeds (RFC 4513, 5.1.2). */
struct apw_user_bind_credentials {
    const char *dn;
    const char *password;
    size_t password_length;
    enum apw_user_bind result;
    struct apw_error words; /* of Active Directory, if it gave a code; else empty */
    bool is_judged; /* the server judged the password; else it may have objected to something
                       else, such as a second bind on this connection */
    bool is_sent;   /* so the server may have counted a wrong password */
    bool is_answered;
    struct apw_server *server; /* asked last; borrowed */
};

/* An apw_operation; the argument is a struct apw_user_bind_credentials. */
enum apw_connection_state apw_user_bind_run(struct apw_connection *connection, void *argument,
                                            enum apw_ldap_result *result_r,
                                            struct apw_error *error);

#endif
