/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module: `require "app_password"`, for Dovecot's Lua passdb.
 *
 *   local front = require("app_password").new("/etc/app-password/app-password.conf")
 *   local verdict, name, why =
 *       front:verify{user=, password=, service=, client=, session=, arrived=}
 *   local answer, name, why = front:lookup{user=, service=, client=}
 *
 * The verdict is "accepted" (then `name` is the accepted name), "refused" or "unavailable" (then
 * `why` says why, for the host's log). For "accepted", the third result says how the user signed
 * in: "k7q2:alice" with the app password k7q2, "account-password:alice" with the account password.
 * Each call writes a line to our own log. lookup() answers
 * "exists" (then `name` is the accepted name), "unknown" or "unavailable"; it accepts nobody, and
 * writes a line only if it cannot tell. Nothing waits:
 * Dovecot delays refusals by itself. Wrong arguments raise an error, which is an internal failure
 * to Dovecot; the module owns nothing wherever Lua may raise one.
 */
#include "front.h"
#include "kept.h"
#include "sign_in.h"
#include "utf8.h"
#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRONT_TYPE "app_password.front"

__attribute__((visibility("default"))) int luaopen_app_password(lua_State *L);

/* A broken configuration raises no error, which would keep Dovecot's authentication process from
 * starting: the front answers "unavailable" and logs why for each login. Dovecot 2.3 also runs the
 * script in a process that asks nothing, as a user who may not read the configuration. */
static int front_new(lua_State *L)
{
    const char *config_path = luaL_checkstring(L, 1);
    struct apw_front **front = lua_newuserdatauv(L, sizeof *front, 0);
    struct apw_error error;

    *front = NULL;
    luaL_setmetatable(L, FRONT_TYPE);
    *front = apw_kept_take(config_path, &error);
    return 1;
}

static int front_give_back(lua_State *L)
{
    apw_kept_give_back(luaL_checkudata(L, 1, FRONT_TYPE));
    return 0;
}

/* A misspelled field would otherwise count as missing. */
static void check_fields(lua_State *L, int table, bool is_login)
{
    static const char *const known[] = {"user",     "service", "client",
                                        "password", "session", "arrived"};
    const size_t count = is_login ? 6 : 3;

    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        bool is_known = false;

        for (size_t i = 0; i < count; i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (!is_known)
            luaL_error(L, "unknown field \"%s\"; use user, %s", name,
                       is_login ? "password, service, client, session and arrived"
                                : "service and client");
        lua_pop(L, 1);
    }
}

/* A string field of the table, or NULL if it is nil. The string stays on the stack and lives as
 * long as the call. Numbers are rejected: 0123 would become 123. */
static const char *field(lua_State *L, int table, const char *name, size_t *length_r)
{
    int type;

    lua_pushstring(L, name);
    type = lua_rawget(L, table);
    *length_r = 0;
    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TSTRING)
        luaL_error(L, "%s is a %s, not a string", name, lua_typename(L, type));
    return lua_tolstring(L, -1, length_r);
}

/* A required field. */
static const char *required_field(lua_State *L, int table, const char *name, size_t *length_r)
{
    const char *text = field(L, table, name, length_r);

    if (text == NULL)
        luaL_error(L, "%s is missing", name);
    return text;
}

/* A field used as a C string; unknown if it contains a NUL. */
static const char *text_field(lua_State *L, int table, const char *name)
{
    size_t length;
    const char *text = field(L, table, name, &length);

    return text != NULL && strlen(text) == length ? text : NULL;
}

/* How many milliseconds the login has waited at least, from "arrived", in whole seconds since 1970;
 * 0 if that is nil. The clock may have been set back since then. */
static int64_t read_waited_ms(lua_State *L, int table)
{
    size_t length;
    const char *text = field(L, table, "arrived", &length);
    char *end;
    long long arrived;
    int64_t now;

    if (text == NULL)
        return 0;
    errno = 0;
    arrived = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)*text) || errno != 0 || end != text + length)
        luaL_error(L, "arrived is not a number of seconds since 1970");
    now = (int64_t)time(NULL);
    return arrived < now ? (now - arrived - 1) * 1000 : 0;
}

static void explain(const struct apw_decision *decision, char *why_r, size_t size)
{
    const char *detail = decision->event.detail.text;

    /* This text goes into the host's log. */
    if (detail[0] == '\0' || !apw_utf8_is_printable(detail, strlen(detail)))
        snprintf(why_r, size, "%s", apw_reason_name(decision->event.reason));
    else
        snprintf(why_r, size, "%s: %s", apw_reason_name(decision->event.reason), detail);
}

/* `why` for an outage, `how` for an acceptance. */
static int push_answer(lua_State *L, enum apw_verdict verdict, const char *name, const char *why,
                       const char *how)
{
    switch (verdict) {
    case APW_ACCEPTED:
        lua_pushliteral(L, "accepted");
        lua_pushstring(L, name);
        lua_pushstring(L, how);
        return 3;
    case APW_REFUSED:
        lua_pushliteral(L, "refused");
        return 1;
    case APW_UNAVAILABLE:
        break;
    }
    lua_pushliteral(L, "unavailable");
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 3;
}

static int front_verify(lua_State *L)
{
    struct apw_front *const *front = luaL_checkudata(L, 1, FRONT_TYPE);
    char name[APW_LOGIN_SIZE], why[sizeof(struct apw_error) + 64], how[APW_SIGN_IN_SIZE];
    enum apw_verdict verdict;
    struct apw_attempt attempt = {.login = NULL};
    struct apw_decision decision;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkstack(L, 16, NULL);
    check_fields(L, 2, true);
    attempt.login = required_field(L, 2, "user", &attempt.login_length);
    attempt.password = required_field(L, 2, "password", &attempt.password_length);
    attempt.service = text_field(L, 2, "service");
    attempt.client = text_field(L, 2, "client");
    attempt.session = text_field(L, 2, "session");
    attempt.waited_ms = read_waited_ms(L, 2);
    if (*front == NULL)
        return push_answer(L, APW_UNAVAILABLE, "", "out of memory", "");

    apw_front_verify_typed(*front, &attempt, false, &decision);
    verdict = decision.event.verdict;
    memcpy(name, decision.event.name, sizeof name);
    apw_sign_in_format(&decision.event, how);
    explain(&decision, why, sizeof why);
    apw_verify_clear(&decision);
    return push_answer(L, verdict, name, why, how);
}

static int push_existence(lua_State *L, enum apw_existence existence, const char *name,
                          const char *why)
{
    switch (existence) {
    case APW_EXISTENCE_KNOWN:
        lua_pushliteral(L, "exists");
        lua_pushstring(L, name);
        return 2;
    case APW_EXISTENCE_UNKNOWN:
        lua_pushliteral(L, "unknown");
        return 1;
    case APW_EXISTENCE_UNAVAILABLE:
        break;
    }
    lua_pushliteral(L, "unavailable");
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 3;
}

static int front_lookup(lua_State *L)
{
    struct apw_front *const *front = luaL_checkudata(L, 1, FRONT_TYPE);
    char name[APW_LOGIN_SIZE], why[sizeof(struct apw_error) + 64];
    enum apw_existence existence;
    struct apw_attempt attempt = {.login = NULL};
    struct apw_decision decision;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkstack(L, 16, NULL);
    check_fields(L, 2, false);
    attempt.login = required_field(L, 2, "user", &attempt.login_length);
    attempt.service = text_field(L, 2, "service");
    attempt.client = text_field(L, 2, "client");
    if (*front == NULL)
        return push_existence(L, APW_EXISTENCE_UNAVAILABLE, "", "out of memory");

    existence = apw_front_look_up(*front, &attempt, &decision);
    memcpy(name, decision.event.name, sizeof name);
    explain(&decision, why, sizeof why);
    apw_verify_clear(&decision);
    return push_existence(L, existence, name, why);
}

int luaopen_app_password(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", front_give_back}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"verify", front_verify}, {"lookup", front_lookup}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", front_new}, {NULL, NULL}};

    luaL_newmetatable(L, FRONT_TYPE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* scripts cannot close it */
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
