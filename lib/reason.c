/* SPDX-License-Identifier: BSD-2-Clause */
#include "reason.h"
#include <stddef.h>

enum apw_reason apw_reason_of_bind(enum apw_user_bind bind)
{
    switch (bind) {
    case APW_USER_BIND_OK:
        return APW_REASON_ACCOUNT_PASSWORD;
    case APW_USER_BIND_WRONG:
        return APW_REASON_WRONG_ACCOUNT_PASSWORD;
    case APW_USER_BIND_LOCKED:
        return APW_REASON_ACCOUNT_LOCKED;
    case APW_USER_BIND_DISABLED:
        return APW_REASON_ACCOUNT_DISABLED;
    case APW_USER_BIND_MUST_CHANGE:
        return APW_REASON_PASSWORD_MUST_CHANGE;
    case APW_USER_BIND_UNAVAILABLE:
        break;
    }
    return APW_REASON_DIRECTORY_UNAVAILABLE;
}

const char *apw_reason_name(enum apw_reason reason)
{
    static const char *const names[] = {
        [APW_REASON_INTERNAL_ERROR] = "internal-error",
        [APW_REASON_CONFIGURATION] = "configuration",
        [APW_REASON_MALFORMED] = "malformed",
        [APW_REASON_WAITED_TOO_LONG] = "waited-too-long",
        [APW_REASON_DIRECTORY_UNAVAILABLE] = "directory-unavailable",
        [APW_REASON_UNKNOWN_USER] = "unknown-user",
        [APW_REASON_AMBIGUOUS_USER] = "ambiguous-user",
        [APW_REASON_AMBIGUOUS_NAME] = "ambiguous-name",
        [APW_REASON_NO_NAME] = "no-name",
        [APW_REASON_ACCOUNT_DISABLED] = "account-disabled",
        [APW_REASON_APP_PASSWORD] = "app-password",
        [APW_REASON_REVOKED] = "revoked",
        [APW_REASON_UNUSABLE_VALUE] = "unusable-value",
        [APW_REASON_CLOCK] = "clock",
        [APW_REASON_EXPIRED] = "expired",
        [APW_REASON_PASSWORD_CHANGED] = "password-changed",
        [APW_REASON_WRONG_SERVICE] = "wrong-service",
        [APW_REASON_WRONG_NETWORK] = "wrong-network",
        [APW_REASON_WRONG_APP_PASSWORD] = "wrong-app-password",
        [APW_REASON_UNKNOWN_APP_PASSWORD] = "unknown-app-password",
        [APW_REASON_ACCOUNT_PASSWORD_WITH_MFA] = "account-password-with-mfa",
        [APW_REASON_MFA_UNREADABLE] = "mfa-unreadable",
        [APW_REASON_ACCOUNT_PASSWORD] = "account-password",
        [APW_REASON_ACCOUNT_PASSWORD_NEVER] = "account-password-never",
        [APW_REASON_WRONG_ACCOUNT_PASSWORD] = "wrong-account-password",
        [APW_REASON_ACCOUNT_LOCKED] = "account-locked",
        [APW_REASON_FOREIGN_AUTHZID] = "foreign-authzid",
        [APW_REASON_REFUSED_NAME] = "refused-name",
        [APW_REASON_PASSWORD_MUST_CHANGE] = "password-must-change",
        [APW_REASON_SECOND_FACTOR] = "second-factor",
        [APW_REASON_WRONG_SECOND_FACTOR] = "wrong-second-factor",
        [APW_REASON_REPLAYED_SECOND_FACTOR] = "replayed-second-factor",
        [APW_REASON_SECOND_FACTOR_UNREADABLE] = "second-factor-unreadable",
        [APW_REASON_REMEMBERED_BROWSER] = "remembered-browser",
        [APW_REASON_ENROLMENT_CODE] = "enrolment-code",
        [APW_REASON_WRONG_ENROLMENT_CODE] = "wrong-enrolment-code",
        [APW_REASON_TOO_MANY_TRIES] = "too-many-tries",
        [APW_REASON_SINGLE_SIGN_ON] = "single-sign-on",
        [APW_REASON_NOT_DONE] = "not-done",
        [APW_REASON_DONE] = "done",
    };

    return (size_t)reason < sizeof names / sizeof names[0] ? names[reason] : "internal-error";
}
