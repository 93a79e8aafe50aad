/*
 * guard: the canon-user plugin. Every mechanism must have the client's name canonicalised, so this
 * is where a stock PLAIN or LOGIN that took our place is stopped, whatever its password check says.
 *
 * It replaces libsasl2's built-in plugin and does what that one does: trims white space and appends
 * the realm.
 */
#include "login.h"
#include "plugin.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What our own mechanisms are doing right now: only while they call canon_user themselves does a
 * name of theirs pass. That the mechanism in use is ours would not be enough: libsasl2 says so even
 * after the exchange has failed, when the program goes on with sasl_checkpass(). */
static _Thread_local enum { CALL_OF_OTHERS = 0, CALL_WITH_LOGIN, CALL_WITH_FINAL_NAME } call;

static int call_canon_user(sasl_server_params_t *params, const char *name, size_t length,
                           unsigned flags, sasl_out_params_t *out)
{
    return params->canon_user(params->utils->conn, name, (unsigned)length,
                              flags | SASL_CU_EXTERNALLY_VERIFIED, out);
}

int apw_sasl_canon_login(sasl_server_params_t *params, const char *login, size_t length,
                         unsigned flags, sasl_out_params_t *out)
{
    int result;

    call = CALL_WITH_LOGIN;
    result = call_canon_user(params, login, length, flags, out);
    call = CALL_OF_OTHERS;
    return result;
}

int apw_sasl_set_final_name(sasl_server_params_t *params, const char *name, unsigned flags,
                            sasl_out_params_t *out)
{
    int result;

    call = CALL_WITH_FINAL_NAME;
    result = call_canon_user(params, name, strlen(name), flags, out);
    call = CALL_OF_OTHERS;
    return result;
}

static const char *property(sasl_server_params_t *params, int number)
{
    const void *value = NULL;

    if (params->utils->getprop(params->utils->conn, number, &value) != SASL_OK)
        return NULL;
    return value;
}

/* Whether `mechanism` stands in the list of names separated by spaces or commas. */
static bool is_listed(const char *list, const char *mechanism)
{
    size_t length = strlen(mechanism);

    for (list += strspn(list, " \t,"); *list != '\0'; list += strspn(list, " \t,")) {
        size_t name_length = strcspn(list, " \t,");

        if (name_length == length && strncasecmp(list, mechanism, length) == 0)
            return true;
        list += name_length;
    }
    return false;
}

/* Our own mechanisms pass, and those that apppassword_also_mechs names. PLAIN and LOGIN never pass
 * by name: from another plugin they are what the guard is for. The option is read anew each time:
 * this plugin is registered once more when libldap makes the program a SASL client, and that has
 * options of its own. */
static bool may_pass(sasl_server_params_t *params)
{
    const char *also_mechs = apw_sasl_option(params->utils, "apppassword_also_mechs");
    const char *plugin = property(params, SASL_AUTHSOURCE);
    const char *mechanism = property(params, SASL_MECHNAME);

    if (plugin == NULL)
        return false;
    if (strcmp(plugin, APW_SASL_NAME) == 0)
        return call != CALL_OF_OTHERS;
    return mechanism != NULL && also_mechs != NULL && strcasecmp(mechanism, "PLAIN") != 0 &&
           strcasecmp(mechanism, "LOGIN") != 0 && is_listed(also_mechs, mechanism);
}

static void report_stopped(sasl_server_params_t *params)
{
    const char *plugin = property(params, SASL_AUTHSOURCE);
    const char *mechanism = property(params, SASL_MECHNAME);
    char text[256];

    snprintf(text, sizeof text,
             "the guard stopped a login by mechanism %s of plugin %s, which does not ask "
             "libapppassword.so; is that installed and apppassword_config set?",
             mechanism != NULL ? mechanism : "(none)", plugin != NULL ? plugin : "(none)");
    apw_sasl_log(params->utils, SASL_LOG_ERR, text);
}

static int copy_name(const char *name, size_t length, const char *realm, char *out,
                     unsigned out_size, unsigned *out_length)
{
    char login[APW_LOGIN_SIZE];

    if (apw_login_canonicalise(name, length, realm, login) != 0)
        return SASL_BADPARAM;
    if (strlen(login) >= out_size)
        return SASL_BUFOVER;
    strcpy(out, login);
    *out_length = (unsigned)strlen(login);
    return SASL_OK;
}

static int canon_user_server(void *context, sasl_server_params_t *params, const char *user,
                             unsigned length, unsigned flags, char *out, unsigned out_size,
                             unsigned *out_length)
{
    (void)context;
    (void)flags;
    if (!may_pass(params)) {
        report_stopped(params);
        return SASL_BADAUTH;
    }
    return copy_name(user, length, call == CALL_WITH_FINAL_NAME ? NULL : params->user_realm, out,
                     out_size, out_length);
}

/* A program that is a SASL client too: its own name, as it is. */
static int canon_user_client(void *context, sasl_client_params_t *params, const char *user,
                             unsigned length, unsigned flags, char *out, unsigned out_size,
                             unsigned *out_length)
{
    (void)context;
    (void)params;
    (void)flags;
    return copy_name(user, length, NULL, out, out_size, out_length);
}

int sasl_canonuser_init(const sasl_utils_t *utils, int max_version, int *out_version,
                        sasl_canonuser_plug_t **plug, const char *plugin_name)
{
    static char name[] = APW_SASL_NAME;
    static sasl_canonuser_plug_t plugin = {
        .name = name,
        .canon_user_server = canon_user_server,
        .canon_user_client = canon_user_client,
    };

    (void)utils;
    (void)plugin_name;
    if (max_version < SASL_CANONUSER_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_CANONUSER_PLUG_VERSION;
    *plug = &plugin;
    return SASL_OK;
}
