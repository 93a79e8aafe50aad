/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle: libldap handles on which every option is set, so that neither ldap.conf nor LDAP*
 * variables apply. A handle is libldap's LDAP.
 */
#ifndef APW_HANDLE_H
#define APW_HANDLE_H

#include "error.h"

struct ldap;

enum apw_tls_min { APW_TLS_1_2 = 0, APW_TLS_1_3 };

/* Sets every option that ldap.conf or the environment could have changed. */
int apw_handle_set_options(struct ldap *handle, enum apw_tls_min tls_min);

/* Makes a handle that holds a TLS context, with the CA certificates of `ca_file`, read now. The
 * caller frees the handle with ldap_unbind_ext(), after a failure too. The context lives until the
 * process ends: no public function gives back the reference that ldap_get_option() takes. */
int apw_handle_new_tls(const char *ca_file, enum apw_tls_min tls_min, struct ldap **handle_r,
                       void **context_r, struct apw_error *error);

#endif
