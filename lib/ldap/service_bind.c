/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/service_bind.h"
#include "ldap/gssapi.h"
#include <ldap.h>
#include <string.h>

static int send_bind(struct apw_connection *connection, const struct apw_identity *identity,
                     int *message_id_r)
{
    /* Empty, not NULL: no authorization identity (RFC 4422, appendix A). */
    struct berval credentials = {0, (char[]){""}};

    if (identity->method == APW_BIND_EXTERNAL)
        return ldap_sasl_bind(connection->ld, NULL, "EXTERNAL", &credentials, NULL, NULL,
                              message_id_r);
    credentials.bv_val = identity->password;
    credentials.bv_len = strlen(identity->password);
    return ldap_sasl_bind(connection->ld, identity->dn, LDAP_SASL_SIMPLE, &credentials, NULL, NULL,
                          message_id_r);
}

int apw_service_bind(struct apw_connection *connection, const struct apw_identity *identity,
                     enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_connection_outcome outcome;
    int message_id;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (identity->method == APW_BIND_ANONYMOUS)
        return 0;
    if (identity->method == APW_BIND_GSSAPI)
        return apw_gssapi_bind(connection, result_r, error);
    if (send_bind(connection, identity, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, "bind");
        return -1;
    }
    if (apw_connection_wait_outcome(connection, message_id, LDAP_RES_BIND, "bind", &outcome,
                                    error) != 0)
        return -1;
    ldap_controls_free(outcome.controls);
    if (outcome.code == LDAP_SUCCESS)
        return 0;
    apw_connection_note(error, connection->server, "bind as %s: %s", apw_identity_name(identity),
                        outcome.text);
    if (outcome.code == LDAP_INVALID_CREDENTIALS || outcome.code == LDAP_INAPPROPRIATE_AUTH)
        *result_r = APW_LDAP_NOT_PERMITTED;
    return -1;
}
