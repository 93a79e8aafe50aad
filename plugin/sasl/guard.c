/* SPDX-License-Identifier: BSD-2-Clause */
#include "guard.h"
#include "host.h"
#include "login.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A name of our own mechanisms passes only while they call canon_user themselves. It is not enough
 * that libsasl2 names one of them as the mechanism in use: it still does so after the exchange has
 * failed, when the program calls sasl_checkpass() on the same connection. */
static _Thread_local enum { CALL_OF_OTHERS = 0, CALL_WITH_LOGIN, CALL_WITH_FINAL_NAME } call;

static int call_canon_user(sasl_server_params_t *params, const char *name, size_t length,
                           unsigned flags, sasl_out_params_t *out)
{
    return params->canon_user(params->utils->conn, name, (unsigned)length,
                              flags | SASL_CU_EXTERNALLY_VERIFIED, out);
}

int apw_guard_canonicalize(sasl_server_params_t *params, const char *login, size_t length,
                           unsigned flags, sasl_out_params_t *out)
{
    int result;

    call = CALL_WITH_LOGIN;
    result = call_canon_user(params, login, length, flags, out);
    call = CALL_OF_OTHERS;
    return result;
}

int apw_guard_set_final_name(sasl_server_params_t *params, const char *name, unsigned flags,
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

/* `list` separates names by spaces or commas. */
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

/* Our own mechanisms pass, and those that apppassword_also_mechs names, except PLAIN and LOGIN: the
 * guard exists to stop these when they come from another plugin. The option is read at each login,
 * because libsasl2 registers the guard a second time, with the client's options, when libldap makes
 * the program a SASL client. */
static bool may_pass(sasl_server_params_t *params)
{
    const char *also_mechs = apw_host_option(params->utils, "apppassword_also_mechs");
    const char *plugin = property(params, SASL_AUTHSOURCE);
    const char *mechanism = property(params, SASL_MECHNAME);

    if (plugin == NULL)
        return false;
    if (strcmp(plugin, APW_GUARD_NAME) == 0)
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
    apw_host_log(params->utils, SASL_LOG_ERR, text);
}

static int copy_name(const char *name, size_t length, const char *realm, char *out,
                     unsigned out_size, unsigned *out_length)
{
    char login[APW_LOGIN_SIZE];

    if (apw_login_canonicalize(name, length, realm, login) != 0)
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

/* The program is a SASL client too; this is its own name. */
static int canon_user_client(void *context, sasl_client_params_t *params, const char *user,
                             unsigned length, unsigned flags, char *out, unsigned out_size,
                             unsigned *out_length)
{
    (void)context;
    (void)params;
    (void)flags;
    return copy_name(user, length, NULL, out, out_size, out_length);
}

sasl_canonuser_plug_t *apw_guard_plugin(void)
{
    static char name[] = APW_GUARD_NAME;
    static sasl_canonuser_plug_t plugin = {
        .name = name,
        .canon_user_server = canon_user_server,
        .canon_user_client = canon_user_client,
    };

    return &plugin;
}
