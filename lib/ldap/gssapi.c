/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/gssapi.h"
#include <ldap.h>
#include <sasl/sasl.h>
#include <string.h>

/* Words of the MIT Kerberos library and of libsasl2, whose codes libldap does not pass on, and what
 * they mean here. */
#define EXPIRED "the Kerberos ticket has expired; run kinit again"
#define MISSING "there is no Kerberos ticket; run kinit"

static const struct fault {
    const char *words;
    const char *meaning;
    enum apw_ldap_result result;
} faults[] = {
    {"Ticket expired", EXPIRED, APW_LDAP_NOT_PERMITTED},
    {"context has expired", EXPIRED, APW_LDAP_NOT_PERMITTED},
    {"No Kerberos credentials available", MISSING, APW_LDAP_NOT_PERMITTED},
    {"No credentials cache", MISSING, APW_LDAP_NOT_PERMITTED},
    {"Clock skew too great",
     "the clocks of this host and of the server differ too much for Kerberos; set them",
     APW_LDAP_NOT_PERMITTED},
    {"not found in Kerberos database",
     "Kerberos does not know the server by this name; give the name of its service ldap/NAME in "
     "uri, or with -H",
     APW_LDAP_NOT_PERMITTED},
    {"Cannot find KDC", "this host knows no KDC for the realm; see krb5.conf(5)",
     APW_LDAP_NOT_PERMITTED},
    {"Cannot contact any KDC", "no KDC answers", APW_LDAP_UNAVAILABLE},
    {"No worthy mech", "this host lacks GSSAPI for Cyrus SASL; install libsasl2-modules-gssapi-mit",
     APW_LDAP_NOT_PERMITTED},
};

/* No authorization identity, and nothing else is asked for. */
static int answer(LDAP *ld, unsigned flags, void *defaults, void *questions)
{
    (void)ld;
    (void)flags;
    (void)defaults;
    for (sasl_interact_t *question = questions; question->id != SASL_CB_LIST_END; question++) {
        question->result = "";
        question->len = 0;
    }
    return LDAP_SUCCESS;
}

static int set_options(struct apw_connection *connection)
{
    const ber_len_t without_layer = 0;

#ifdef LDAP_OPT_X_SASL_CBINDING
    /* A ticket meant for this TLS connection is of no use on another one (RFC 5929, 4). */
    const int binding = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT;

    if (ldap_set_option(connection->ld, LDAP_OPT_X_SASL_CBINDING, &binding) != 0)
        return -1;
#endif
    /* The name of the URI, not the one that the address leads back to. */
    if (ldap_set_option(connection->ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) != 0)
        return -1;
    return ldap_set_option(connection->ld, LDAP_OPT_X_SASL_SSF_MAX, &without_layer) == 0 ? 0 : -1;
}

/* What the server's answer means. */
static const char *meaning_of(int code, enum apw_ldap_result *result_r)
{
    *result_r = APW_LDAP_NOT_PERMITTED;
    switch (code) {
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_INSUFFICIENT_ACCESS:
        break;
    case LDAP_AUTH_METHOD_NOT_SUPPORTED:
        return "the server does not offer GSSAPI";
    case LDAP_STRONG_AUTH_REQUIRED:
        return "the server does not accept GSSAPI this way; for Samba before 4.21 see -Y in "
               "app-password(1)";
    default:
        *result_r = APW_LDAP_UNAVAILABLE;
    }
    return ldap_err2string(code);
}

/* Prints what the server or the libraries say, without the general words before those of the
 * Kerberos library. */
static void note(const struct apw_connection *connection, const char *meaning, const char *detail,
                 struct apw_error *error)
{
    const char *particular =
        detail == NULL ? NULL : strstr(detail, "Minor code may provide more information (");

    if (particular != NULL)
        detail = particular + strlen("Minor code may provide more information (");
    apw_connection_note(error, connection->server, "bind with GSSAPI: %s%s%.*s%s", meaning,
                        detail == NULL ? "" : " (",
                        detail == NULL ? 0 : (int)strlen(detail) - (particular != NULL),
                        detail == NULL ? "" : detail, detail == NULL ? "" : ")");
}

static void explain(const struct apw_connection *connection, int code,
                    enum apw_ldap_result *result_r, struct apw_error *error)
{
    const char *meaning = meaning_of(code, result_r);
    char *detail = NULL;

    ldap_get_option(connection->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    for (size_t i = 0; detail != NULL && i < sizeof faults / sizeof faults[0]; i++)
        if (strstr(detail, faults[i].words) != NULL) {
            meaning = faults[i].meaning;
            *result_r = faults[i].result;
            break;
        }
    note(connection, meaning, detail != NULL && *detail != '\0' ? detail : NULL, error);
    ldap_memfree(detail);
}

int apw_gssapi_bind(struct apw_connection *connection, enum apw_ldap_result *result_r,
                    struct apw_error *error)
{
    LDAPMessage *message = NULL;
    const char *mechanism = NULL;
    int code, message_id;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (set_options(connection) != 0) {
        apw_connection_note(error, connection->server, "bind with GSSAPI: not in this libldap");
        return -1;
    }
    for (;;) {
        code =
            ldap_sasl_interactive_bind(connection->ld, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET,
                                       answer, NULL, message, &mechanism, &message_id);
        ldap_msgfree(message);
        if (code != LDAP_SASL_BIND_IN_PROGRESS)
            break;
        message = apw_connection_next_message(connection, message_id, "bind", error);
        if (message == NULL)
            return -1;
    }
    if (code == LDAP_SUCCESS)
        return 0;
    explain(connection, code, result_r, error);
    return -1;
}
