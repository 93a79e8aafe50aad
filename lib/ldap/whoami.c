/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/whoami.h"
#include "ignorable.h"
#include <ldap.h>
#include <stdlib.h>
#include <string.h>

static bool has_nul(const struct berval *answer)
{
    return answer != NULL && answer->bv_val != NULL &&
           memchr(answer->bv_val, '\0', answer->bv_len) != NULL;
}

/* Copies the name. */
static enum apw_ldap_result take(const struct berval *answer, char **name_r,
                                 struct apw_error *error)
{
    const char *name = answer == NULL ? NULL : answer->bv_val;
    size_t length = name == NULL ? 0 : answer->bv_len;

    if (length >= 3 && strncmp(name, "dn:", 3) == 0) {
        name += 3;
        length -= 3;
        apw_ignorable_trim(&name, &length); /* 389 Directory Server answers "dn: cn=…" */
    }
    if (length == 0)
        return APW_LDAP_OK;
    *name_r = strndup(name, length);
    if (*name_r != NULL)
        return APW_LDAP_OK;
    apw_error_set(error, "out of memory");
    return APW_LDAP_UNAVAILABLE;
}

enum apw_connection_state apw_whoami_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_connection_outcome outcome = {.code = LDAP_OTHER};
    enum apw_connection_state state = APW_CONNECTION_GOOD;
    struct berval *answer = NULL;
    bool is_answer = true;
    LDAPMessage *message;
    int message_id;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (ldap_whoami(connection->ld, NULL, NULL, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, "who am I");
        return APW_CONNECTION_LOST;
    }
    message = apw_connection_next_message(connection, message_id, "who am I", error);
    if (message == NULL)
        return APW_CONNECTION_LOST;
    if (ldap_msgtype(message) == LDAP_RES_EXTENDED)
        ldap_parse_whoami(connection->ld, message, &answer); /* reads the result code, too */
    else
        is_answer = false;
    if (apw_connection_read_outcome(connection, message, &outcome) != 0 || !is_answer ||
        has_nul(answer)) {
        apw_connection_note(error, connection->server,
                            "who am I: the server answered something else");
        state = APW_CONNECTION_LOST;
    } else if (outcome.code == LDAP_SUCCESS) {
        *result_r = take(answer, argument, error);
    } else {
        apw_connection_note(error, connection->server, "who am I: %s", outcome.text);
        if (apw_connection_is_gone(outcome.code))
            state = APW_CONNECTION_LOST;
        else
            *result_r = APW_LDAP_REFUSED;
    }
    ldap_controls_free(outcome.controls);
    ber_bvfree(answer);
    return state;
}
