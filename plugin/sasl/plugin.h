/*
 * plugin: what libsasl2 loads. PLAIN and LOGIN mechanisms, and the canon-user guard.
 */
#ifndef APW_SASL_PLUGIN_H
#define APW_SASL_PLUGIN_H

#include "front.h"
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdbool.h>

/* The name of the guard in `canon_user_plugin`, and what libsasl2 calls our plugin: the file's name
 * without "lib" and ".so". */
#define APW_SASL_NAME "apppassword"

/* The two entries that libsasl2 looks up, and all that the .so exports. */
#define APW_SASL_EXPORTED __attribute__((visibility("default")))
APW_SASL_EXPORTED sasl_server_plug_init_t sasl_server_plug_init;
APW_SASL_EXPORTED sasl_canonuser_init_t sasl_canonuser_init;

/* An option of the host program's SASL configuration, NULL where it is not set. Borrowed from
 * libsasl2. */
const char *apw_sasl_option(const sasl_utils_t *utils, const char *name);

/* Logs one line through the host program; conn may be NULL. */
void apw_sasl_log(const sasl_utils_t *utils, int level, const char *text);

/* The two mechanisms, which own `front` (NULL: unavailable to everything) and close it when
 * libsasl2 frees them. NULL without memory. */
#define APW_SASL_MECHANISM_COUNT 2
sasl_server_plug_t *apw_sasl_mechanisms(struct apw_front *front);

/* Has the host canonicalise a name, past the guard. `flags` are SASL_CU_AUTHID and SASL_CU_AUTHZID;
 * that no auxprop plugin knows the name is no failure. Returns a SASL result. */
int apw_sasl_canon_login(sasl_server_params_t *params, const char *login, size_t length,
                         unsigned flags, sasl_out_params_t *out);

/* The same with a name that is final: the guard neither trims it nor appends a realm. */
int apw_sasl_set_final_name(sasl_server_params_t *params, const char *name, unsigned flags,
                            sasl_out_params_t *out);

#endif
