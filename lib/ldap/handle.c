/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/handle.h"
#include <ldap.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

int apw_handle_set_options(LDAP *ld, enum apw_tls_min tls_min)
{
    static const int strings[] = {LDAP_OPT_X_TLS_CACERTDIR,   LDAP_OPT_X_TLS_CERTFILE,
                                  LDAP_OPT_X_TLS_KEYFILE,     LDAP_OPT_X_TLS_CRLFILE,
                                  LDAP_OPT_X_TLS_DHFILE,      LDAP_OPT_X_TLS_ECNAME,
                                  LDAP_OPT_X_TLS_PEERKEY_HASH};
    const struct timeval no_timeout = {.tv_sec = -1}; /* the transport has its own */
    const int version = LDAP_VERSION3, never_deref = LDAP_DEREF_NEVER, no_limit = LDAP_NO_LIMIT,
              demand = LDAP_OPT_X_TLS_DEMAND, san = LDAP_OPT_X_TLS_TRY,
              crl = LDAP_OPT_X_TLS_CRL_NONE, maximum = 0,
              minimum = tls_min == APW_TLS_1_3 ? LDAP_OPT_X_TLS_PROTOCOL_TLS1_3
                                               : LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;

    if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
        ldap_set_option(ld, LDAP_OPT_DEREF, &never_deref) != 0 ||
        ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
        ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0 ||
        ldap_set_option(ld, LDAP_OPT_SIZELIMIT, &no_limit) != 0 ||
        ldap_set_option(ld, LDAP_OPT_TIMELIMIT, &no_limit) != 0 ||
        ldap_set_option(ld, LDAP_OPT_TIMEOUT, &no_timeout) != 0 ||
        ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &no_timeout) != 0 ||
        ldap_set_option(ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_OFF) != 0 ||
        ldap_set_option(ld, LDAP_OPT_SERVER_CONTROLS, NULL) != 0 ||
        ldap_set_option(ld, LDAP_OPT_CLIENT_CONTROLS, NULL) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, &san) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum) != 0)
        return -1;
    ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MAX, &maximum);
    ldap_set_option(ld, LDAP_OPT_X_TLS_CRLCHECK, &crl); /* OpenSSL only */
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        ldap_set_option(ld, strings[i], NULL);
    return 0;
}

/* libldap over GnuTLS ignores PROTOCOL_MIN; there the versions are part of the cipher string. */
static const char *cipher_suite(enum apw_tls_min tls_min)
{
    char *package = NULL;
    bool is_gnutls;

    ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package);
    is_gnutls = package != NULL && strcmp(package, "GnuTLS") == 0;
    ldap_memfree(package);
    if (!is_gnutls)
        return NULL;
    return tls_min == APW_TLS_1_3 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
                                  : "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3";
}

int apw_handle_new_tls(const char *ca_file, enum apw_tls_min tls_min, LDAP **handle_r,
                       void **context_r, struct apw_error *error)
{
    const int is_server = 0;

    if (ldap_initialize(handle_r, NULL) != LDAP_SUCCESS)
        return apw_error_set(error, "out of memory");
    if (apw_handle_set_options(*handle_r, tls_min) != 0 ||
        ldap_set_option(*handle_r, LDAP_OPT_X_TLS_CIPHER_SUITE, cipher_suite(tls_min)) != 0 ||
        ldap_set_option(*handle_r, LDAP_OPT_X_TLS_CACERTFILE, ca_file) != 0 ||
        ldap_set_option(*handle_r, LDAP_OPT_X_TLS_NEWCTX, &is_server) != 0 ||
        ldap_get_option(*handle_r, LDAP_OPT_X_TLS_CTX, context_r) != 0 || *context_r == NULL)
        return apw_error_set(error, "cannot prepare TLS with the CA certificates of %s", ca_file);
    return 0;
}
