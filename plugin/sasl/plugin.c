#include "plugin.h"
#include <strings.h>

const char *apw_sasl_option(const sasl_utils_t *utils, const char *name)
{
    const char *value = NULL;

    if (utils->getopt(utils->getopt_context, NULL, name, &value, NULL) != SASL_OK)
        return NULL;
    return value;
}

void apw_sasl_log(const sasl_utils_t *utils, int level, const char *text)
{
    utils->log(utils->conn, level, "app-password: %s", text);
}

static void warn_without_guard(const sasl_utils_t *utils)
{
    const char *guard = apw_sasl_option(utils, "canon_user_plugin");

    if (guard == NULL || strcasecmp(guard, APW_SASL_NAME) != 0)
        apw_sasl_log(utils, SASL_LOG_WARN,
                     "there is no \"canon_user_plugin: " APW_SASL_NAME "\" beside "
                     "apppassword_config: without this plugin another one would check passwords");
}

/* libldap, when it initialises itself, replaces libsasl2's mutex functions and then makes the
 * process a SASL client. In the middle of sasl_server_init() that would leave mutexes of two kinds
 * behind, and sasl_dispose() would crash. libsasl2 refuses the replacement once there is a client:
 * so there has to be one before libldap is touched. */
static int become_client_first(void)
{
    return sasl_client_init(NULL);
}

/* Declines where the program has no apppassword_config, so that nothing
 * changes for it; with one that cannot be read it registers all the same, and answers
 * "unavailable": a mechanism that stayed away would leave the login to another plugin. */
int sasl_server_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_server_plug_t **pluglist, int *plugcount)
{
    const char *config_path = apw_sasl_option(utils, "apppassword_config");
    struct apw_front *front = NULL; /* stays NULL where memory is short: unavailable too */
    struct apw_error error;

    if (max_version < SASL_SERVER_PLUG_VERSION)
        return SASL_BADVERS;
    if (config_path == NULL)
        return SASL_NOMECH;
    if (become_client_first() != SASL_OK)
        apw_error_set(&error, "libsasl2 cannot be a client"); /* and there is no front */
    else
        apw_front_open(config_path, &front, &error);
    if (error.text[0] != '\0')
        apw_sasl_log(utils, SASL_LOG_ERR, error.text);
    warn_without_guard(utils);
    *out_version = SASL_SERVER_PLUG_VERSION;
    *pluglist = apw_sasl_mechanisms(front);
    if (*pluglist == NULL) {
        apw_front_close(&front);
        return SASL_NOMEM;
    }
    *plugcount = APW_SASL_MECHANISM_COUNT;
    return SASL_OK;
}
