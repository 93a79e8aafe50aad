/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: the canon-user plugin. Every mechanism must have the client's name canonicalized, so the
 * guard sees every login. It stops a stock PLAIN or LOGIN that took our place, whatever that
 * mechanism's password check says.
 *
 * It replaces libsasl2's built-in plugin and does what that one does: it trims white space and
 * appends the realm.
 */
#ifndef APW_SASL_GUARD_H
#define APW_SASL_GUARD_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stddef.h>

/* The guard's name in `canon_user_plugin`, and libsasl2's name for our plugin: the file's name
 * without "lib" and ".so". */
#define APW_GUARD_NAME "apppassword"

/* The plugin that libsasl2 registers. Static. */
sasl_canonuser_plug_t *apw_guard_plugin(void);

/* Our mechanisms canonicalize names with the next two functions, because the guard lets only these
 * calls pass. `flags` are SASL_CU_AUTHID and SASL_CU_AUTHZID. A name that no auxprop plugin knows
 * is not an error. Both return a SASL result. */
int apw_guard_canonicalize(sasl_server_params_t *params, const char *login, size_t length,
                           unsigned flags, sasl_out_params_t *out);

/* For a name that is already final: does not trim it or append a realm. */
int apw_guard_set_final_name(sasl_server_params_t *params, const char *name, unsigned flags,
                             sasl_out_params_t *out);

#endif
