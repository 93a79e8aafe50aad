/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/user_bind.h"
#include "ldap/connection.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The additional result in the password policy control. */
enum policy { POLICY_SILENT = 0, POLICY_LOCKED, POLICY_MUST_CHANGE, POLICY_EXPIRED, POLICY_OTHER };

static enum policy read_policy(struct apw_connection *connection, LDAPControl **controls)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
    LDAPPasswordPolicyError policy_error = PP_noError;
    ber_int_t expires_in, graces;

    if (control == NULL)
        return POLICY_SILENT;
    if (ldap_parse_passwordpolicy_control(connection->ld, control, &expires_in, &graces,
                                          &policy_error) != LDAP_SUCCESS)
        return POLICY_OTHER;
    switch (policy_error) {
    case PP_noError:
        return POLICY_SILENT;
    case PP_accountLocked:
        return POLICY_LOCKED;
    case PP_changeAfterReset:
        return POLICY_MUST_CHANGE;
    case PP_passwordExpired:
        return POLICY_EXPIRED;
    default:
        return POLICY_OTHER;
    }
}

/* Active Directory ends the text of a refused bind with "…, data X, v…", where X is a Win32 error
 * in hexadecimal (MS-ERREF, 2.2). 0 if there is none. */
static unsigned long read_win32_error(const char *text)
{
    static const char mark[] = ", data ";
    const char *data = strstr(text, "AcceptSecurityContext error");

    data = data == NULL ? NULL : strstr(data, mark);
    return data == NULL ? 0 : strtoul(data + strlen(mark), NULL, 16);
}

static enum apw_user_bind judge_win32_error(unsigned long win32_error)
{
    switch (win32_error) {
    case 0x530: /* ERROR_INVALID_LOGON_HOURS */
    case 0x531: /* ERROR_INVALID_WORKSTATION */
    case 0x533: /* ERROR_ACCOUNT_DISABLED */
    case 0x569: /* ERROR_LOGON_TYPE_NOT_GRANTED */
    case 0x701: /* ERROR_ACCOUNT_EXPIRED */
        return APW_USER_BIND_DISABLED;
    case 0x532: /* ERROR_PASSWORD_EXPIRED */
    case 0x773: /* ERROR_PASSWORD_MUST_CHANGE */
        return APW_USER_BIND_MUST_CHANGE;
    case 0x775: /* ERROR_ACCOUNT_LOCKED_OUT */
        return APW_USER_BIND_LOCKED;
    default:
        return APW_USER_BIND_WRONG;
    }
}

static enum apw_user_bind judge_bind(int code, enum policy policy)
{
    if (policy == POLICY_LOCKED || code == LDAP_CONSTRAINT_VIOLATION ||
        code == LDAP_UNWILLING_TO_PERFORM)
        return APW_USER_BIND_LOCKED;
    /* The server says so only after the right password. */
    if (policy == POLICY_EXPIRED && code == LDAP_INVALID_CREDENTIALS)
        return APW_USER_BIND_MUST_CHANGE;
    if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH ||
        code == LDAP_NO_SUCH_OBJECT)
        return APW_USER_BIND_WRONG;
    if (code != LDAP_SUCCESS)
        return APW_USER_BIND_UNAVAILABLE;
    switch (policy) {
    case POLICY_SILENT:
        return APW_USER_BIND_OK;
    case POLICY_MUST_CHANGE:
        return APW_USER_BIND_MUST_CHANGE;
    case POLICY_LOCKED:
    case POLICY_EXPIRED:
    case POLICY_OTHER:
        break;
    }
    return APW_USER_BIND_UNAVAILABLE;
}

/* Not what a server might answer to a second bind on a connection, whatever the password. */
static bool is_judgement(int code)
{
    return code == LDAP_SUCCESS || code == LDAP_INVALID_CREDENTIALS ||
           code == LDAP_INAPPROPRIATE_AUTH || code == LDAP_NO_SUCH_OBJECT ||
           code == LDAP_CONSTRAINT_VIOLATION;
}

static int send_user_bind(struct apw_connection *connection,
                          const struct apw_user_bind_credentials *bind, int *message_id_r)
{
    struct berval credentials = {.bv_len = bind->password_length, .bv_val = (char *)bind->password};
    LDAPControl *controls[2] = {NULL, NULL};
    int code = ldap_create_passwordpolicy_control(connection->ld, &controls[0]);

    if (code == LDAP_SUCCESS)
        code = ldap_sasl_bind(connection->ld, bind->dn, LDAP_SASL_SIMPLE, &credentials, controls,
                              NULL, message_id_r);
    ldap_control_free(controls[0]);
    return code;
}

enum apw_connection_state apw_user_bind_run(struct apw_connection *connection, void *argument,
                                            enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_user_bind_credentials *bind = argument;
    struct apw_connection_outcome outcome;
    unsigned long win32_error;
    int message_id;

    bind->result = APW_USER_BIND_UNAVAILABLE;
    bind->words.text[0] = '\0'; /* of another connection */
    bind->is_judged = bind->is_sent = bind->is_answered = false;
    bind->server = connection->server;
    *result_r = APW_LDAP_UNAVAILABLE;
    if (send_user_bind(connection, bind, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, "bind");
        return APW_CONNECTION_LOST;
    }
    bind->is_sent = true;
    if (apw_connection_wait_outcome(connection, message_id, LDAP_RES_BIND, "bind as the user",
                                    &outcome, error) != 0)
        return APW_CONNECTION_LOST;
    bind->is_answered = true;
    bind->is_judged = is_judgement(outcome.code);
    bind->result = judge_bind(outcome.code, read_policy(connection, outcome.controls));
    win32_error = read_win32_error(outcome.text);
    if (bind->result == APW_USER_BIND_WRONG && win32_error != 0)
        bind->result = judge_win32_error(win32_error);
    ldap_controls_free(outcome.controls);
    if (win32_error != 0)
        apw_connection_note(&bind->words, connection->server, "bind as the user: %s", outcome.text);
    if (bind->result == APW_USER_BIND_UNAVAILABLE)
        apw_connection_note(error, connection->server, "bind as the user: %s", outcome.text);
    return apw_connection_is_gone(outcome.code) ? APW_CONNECTION_LOST : APW_CONNECTION_GOOD;
}
