/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reason: why a login ended as it did. The names are part of the log line, an interface.
 */
#ifndef APW_REASON_H
#define APW_REASON_H

#include "ldap/user_bind.h"

enum apw_reason {
    APW_REASON_INTERNAL_ERROR = 0, /* unavailable: out of memory, … */
    APW_REASON_CONFIGURATION,      /* unavailable: the configuration is broken */
    APW_REASON_MALFORMED,
    APW_REASON_WAITED_TOO_LONG, /* unavailable: more logins than the host can do */
    APW_REASON_DIRECTORY_UNAVAILABLE,
    APW_REASON_UNKNOWN_USER,
    APW_REASON_AMBIGUOUS_USER,
    APW_REASON_AMBIGUOUS_NAME, /* the accepted name leads to another entry, or to none */
    APW_REASON_NO_NAME,        /* login_attribute has no value that can be the accepted name */
    APW_REASON_ACCOUNT_DISABLED,
    APW_REASON_APP_PASSWORD,
    APW_REASON_REVOKED,
    APW_REASON_UNUSABLE_VALUE,
    APW_REASON_CLOCK,
    APW_REASON_EXPIRED,
    APW_REASON_PASSWORD_CHANGED, /* made before the account password was changed */
    APW_REASON_WRONG_SERVICE,
    APW_REASON_WRONG_NETWORK,
    APW_REASON_WRONG_APP_PASSWORD,
    APW_REASON_UNKNOWN_APP_PASSWORD,
    APW_REASON_ACCOUNT_PASSWORD_WITH_MFA,
    APW_REASON_MFA_UNREADABLE,
    APW_REASON_ACCOUNT_PASSWORD,
    APW_REASON_ACCOUNT_PASSWORD_NEVER,
    APW_REASON_WRONG_ACCOUNT_PASSWORD,
    APW_REASON_ACCOUNT_LOCKED,
    APW_REASON_FOREIGN_AUTHZID, /* right password, but not permitted to act as that user */
    APW_REASON_REFUSED_NAME,    /* right password, but the host does not take the name */
    APW_REASON_PASSWORD_MUST_CHANGE,
    /* for the page */
    APW_REASON_SECOND_FACTOR,
    APW_REASON_WRONG_SECOND_FACTOR,
    APW_REASON_REPLAYED_SECOND_FACTOR,   /* the code is right, but was used before */
    APW_REASON_SECOND_FACTOR_UNREADABLE, /* our key does not open it */
    APW_REASON_REMEMBERED_BROWSER,
    APW_REASON_ENROLMENT_CODE,
    APW_REASON_WRONG_ENROLMENT_CODE,
    APW_REASON_TOO_MANY_TRIES, /* still waiting after wrong ones */
    APW_REASON_SINGLE_SIGN_ON,
    APW_REASON_NOT_DONE, /* signed in, but the change failed */
    APW_REASON_DONE,
};

/* What a bind with the account password means. Only OK accepts. */
enum apw_reason apw_reason_of_bind(enum apw_user_bind bind);

/* Like "account-password-with-mfa". */
const char *apw_reason_name(enum apw_reason reason);

#endif
