/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin: what libsasl2 loads, and all that the .so exports.
 */
#include "guard.h"
#include "host.h"
#include "mechanism.h"
#include <strings.h>

#define EXPORTED __attribute__((visibility("default")))
EXPORTED sasl_server_plug_init_t sasl_server_plug_init;
EXPORTED sasl_canonuser_init_t sasl_canonuser_init;

static void warn_without_guard(const sasl_utils_t *utils)
{
    const char *guard = apw_host_option(utils, "canon_user_plugin");

    if (guard == NULL || strcasecmp(guard, APW_GUARD_NAME) != 0)
        apw_host_log(utils, SASL_LOG_WARN,
                     "\"canon_user_plugin: " APW_GUARD_NAME
                     "\" is not set: if this plugin is missing, another one checks passwords; set "
                     "it together with apppassword_config");
}

/* When libldap initializes itself, it replaces libsasl2's mutex functions and then makes the
 * process a SASL client. In the middle of sasl_server_init() that would leave mutexes of two kinds
 * behind, and sasl_dispose() would crash. libsasl2 refuses the replacement in a process that is
 * already a client, so the plugin makes it one before the first call of libldap. */
static int become_client_first(void)
{
    return sasl_client_init(NULL);
}

/* Declines if the program has no apppassword_config, so nothing changes for it. If that file cannot
 * be read, the mechanisms register and answer "unavailable": without them, libsasl2 would take
 * another plugin's. */
int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount)
{
    const char *config_path = apw_host_option(utils, "apppassword_config");
    struct apw_front *front = NULL; /* stays NULL if out of memory: also unavailable */
    struct apw_error error;

    if (max_version < SASL_SERVER_PLUG_VERSION)
        return SASL_BADVERS;
    if (config_path == NULL)
        return SASL_NOMECH;
    if (become_client_first() != SASL_OK)
        apw_error_set(&error, "libsasl2 cannot be a client");
    else
        apw_front_open(config_path, &front, &error);
    if (error.text[0] != '\0')
        apw_host_log(utils, SASL_LOG_ERR, error.text);
    warn_without_guard(utils);
    *out_version = SASL_SERVER_PLUG_VERSION;
    *pluglist = apw_mechanisms_new(front);
    if (*pluglist == NULL) {
        apw_front_close(&front);
        return SASL_NOMEM;
    }
    *plugcount = APW_MECHANISM_COUNT;
    return SASL_OK;
}

int sasl_canonuser_init(const sasl_utils_t *utils, int max_version, int *out_version,
                        sasl_canonuser_plug_t **plug, const char *plugin_name)
{
    (void)utils;
    (void)plugin_name;
    if (max_version < SASL_CANONUSER_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_CANONUSER_PLUG_VERSION;
    *plug = apw_guard_plugin();
    return SASL_OK;
}
