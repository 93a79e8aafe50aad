/* SPDX-License-Identifier: BSD-2-Clause */
/* The module for Lua, loaded as Dovecot loads it, and the passdb of examples/dovecot. No server. */
#include "unit.h"
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/* Globals of each script: paths of configurations and scripts, and `real`, the module. */
static char down[UNIT_PATH_SIZE], broken[UNIT_PATH_SIZE], log_path[UNIT_PATH_SIZE];

static void write_configurations(void)
{
    char text[2048];

    unit_path("log", log_path);
    snprintf(text, sizeof text,
             "uri ldapi://%%2Fnonexistent\nbase dc=example\nbind external\nlog %s\n", log_path);
    unit_write(unit_path("down.conf", down), text, strlen(text));
    unit_write(unit_path("broken.conf", broken), "frobnicate yes\n", 15);
}

static void set_global(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setglobal(L, name);
}

static lua_State *new_state(void)
{
    lua_State *L = luaL_newstate();

    assert_non_null(L);
    luaL_openlibs(L);
    set_global(L, "down", down);
    set_global(L, "broken", broken);
    set_global(L, "log", log_path);
    set_global(L, "example", APW_SRCDIR "/examples/dovecot/app-password.lua");
    set_global(L, "arrived", APW_SRCDIR "/examples/dovecot/app-password-arrived.lua");
    if (luaL_dostring(L, "package.cpath = '" APW_BUILDDIR "/?.so'\n"
                         "real = require('app_password')\n") != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    return L;
}

/* Runs a chunk that returns one string, or raises one, which begins with "chunk:". */
static char *run(lua_State *L, const char *chunk)
{
    char *result;

    if (luaL_loadbuffer(L, chunk, strlen(chunk), "=chunk") == LUA_OK)
        lua_pcall(L, 0, 1, 0);
    result = strdup(luaL_tolstring(L, -1, NULL));
    assert_non_null(result);
    lua_settop(L, 0);
    return result;
}

static const struct chunk_case {
    const char *name;
    const char *chunk;
    const char *expected; /* part of the result */
} chunks[] = {
    {"a broken configuration is unavailable",
     "local v, n, why = real.new(broken):verify{user='alice', password='secret'}\n"
     "return v .. ' ' .. tostring(n) .. ' ' .. why",
     "unavailable nil configuration: "},
    {"why it is unavailable names the file",
     "local v, n, why = real.new(broken):verify{user='alice', password='secret'}\nreturn why",
     "broken.conf:1"},
    {"a configuration that is not there is unavailable",
     "return (real.new('/nonexistent'):verify{user='alice', password='secret'})", "unavailable"},
    {"a directory that does not answer is unavailable",
     "local v, n, why = real.new(down):verify{user='alice', password='secret'}\n"
     "return v .. ' ' .. tostring(n) .. ' ' .. why",
     "unavailable nil directory-unavailable: ldapi://"},
    {"a refusal is one value",
     "return select('#', real.new(down):verify{user='', password='secret'})", "1"},
    {"an empty login is refused", "return real.new(down):verify{user='', password='secret'}",
     "refused"},
    {"a blank login is refused", "return real.new(down):verify{user=' \\t', password='secret'}",
     "refused"},
    {"a NUL in the login is refused",
     "return real.new(down):verify{user='al\\0ice', password='secret'}", "refused"},
    {"an empty password is refused", "return real.new(down):verify{user='alice', password=''}",
     "refused"},
    {"a NUL in the password is refused",
     "return real.new(down):verify{user='alice', password='secret\\0'}", "refused"},
    {"a login that is no string is an error",
     "return real.new(down):verify{user=123, password='secret'}",
     "chunk:1: user is a number, not a string"},
    {"a password that is no string is an error",
     "return real.new(down):verify{user='alice', password=123}",
     "chunk:1: password is a number, not a string"},
    {"a service that is no string is an error",
     "return real.new(down):verify{user='alice', password='secret', service=true}",
     "chunk:1: service is a boolean, not a string"},
    {"a login that is missing is an error", "return real.new(down):verify{password='secret'}",
     "chunk:1: user is missing"},
    {"a password that is missing is an error", "return real.new(down):verify{user='alice'}",
     "chunk:1: password is missing"},
    {"a misspelt field is an error",
     "return real.new(down):verify{user='alice', password='secret', clinet='192.0.2.7'}",
     "chunk:1: unknown field \"clinet\""},
    {"a value without a name is an error",
     "return real.new(down):verify{user='alice', password='secret', 'imap'}", "chunk:1: "},
    {"a login that waited too long is unavailable",
     "local v, n, why = real.new(down):verify{user='alice', password='secret',"
     " arrived=tostring(os.time() - 60)}\n"
     "return v .. ' ' .. tostring(n) .. ' ' .. why",
     "unavailable nil waited-too-long: the login waited "},
    {"one that has just arrived is decided",
     "local v, n, why = real.new(down):verify{user='alice', password='secret',"
     " arrived=tostring(os.time())}\nreturn why",
     "directory-unavailable: ldapi://"},
    {"as is one from the future",
     "local v, n, why = real.new(down):verify{user='alice', password='secret',"
     " arrived=tostring(os.time() + 3600)}\nreturn why",
     "directory-unavailable: ldapi://"},
    {"a time that is no number is an error",
     "return real.new(down):verify{user='alice', password='secret', arrived='12:00'}",
     "chunk:1: arrived is not a number of seconds since 1970"},
    {"nor is an empty one",
     "return real.new(down):verify{user='alice', password='secret', arrived=''}",
     "chunk:1: arrived is not a number of seconds since 1970"},
    {"nor one that is too large",
     "return real.new(down):verify{user='alice', password='secret',"
     " arrived='99999999999999999999'}",
     "chunk:1: arrived is not a number of seconds since 1970"},
    {"a lookup does not wait", "return real.new(down):lookup{user='alice', arrived='1'}",
     "chunk:1: unknown field \"arrived\""},
    {"a lookup in an outage is unavailable",
     "local a, n, why = real.new(down):lookup{user='alice'}\n"
     "return a .. ' ' .. tostring(n) .. ' ' .. why",
     "unavailable nil directory-unavailable: ldapi://"},
    {"a lookup with a broken configuration is unavailable",
     "local a, n, why = real.new(broken):lookup{user='alice', service='lmtp'}\n"
     "return a .. ' ' .. tostring(n) .. ' ' .. why",
     "unavailable nil configuration: "},
    {"a malformed login is unknown", "return real.new(down):lookup{user=' '}", "unknown"},
    {"a lookup takes no password", "return real.new(down):lookup{user='alice', password='secret'}",
     "chunk:1: unknown field \"password\"; use user, service and client"},
    {"a lookup needs a login", "return real.new(down):lookup{}", "chunk:1: user is missing"},
    {"no table is an error", "return real.new(down):verify('alice')", "chunk:1: bad argument"},
    {"an object of another kind is an error",
     "return real.new(down).verify(io.stdout, {user='alice', password='secret'})",
     "chunk:1: bad argument"},
    {"new() without a path is an error", "return real.new()", "chunk:1: bad argument"},
    {"a script cannot end the object", "return getmetatable(real.new(down))", "false"},
    {"objects come and go", "for i = 1, 100 do real.new(down) end collectgarbage() return 'alive'",
     "alive"},
};

static void test_chunk(void **state)
{
    const struct chunk_case *row = *state;
    lua_State *L = new_state();
    char *result = run(L, row->chunk);

    assert_contains(result, row->expected);
    free(result);
    lua_close(L);
}

static const struct line_case {
    const char *name;
    const char *chunk;
    const char *expected; /* in the log */
} lines[] = {
    {"the line has service and client",
     "real.new(down):verify{user='alice', password='secret', service='imaps', "
     "client='::ffff:192.0.2.7'}",
     "user=\"alice\" service=imap client=192.0.2.7 id=-"},
    {"white space around the login is trimmed",
     "real.new(down):verify{user=' bob ', password='secret'}", "user=\"bob\""},
    {"a service with a NUL is unknown",
     "real.new(down):verify{user='carol', password='secret', service='imap\\0'}",
     "user=\"carol\" service=- client=-"},
    {"a client's zone is dropped",
     "real.new(down):verify{user='erin', password='secret', service='imap', client='fe80::7%eth0'}",
     "user=\"erin\" service=imap client=fe80::7 id=-"},
    {"a client that is no address is unknown",
     "real.new(down):verify{user='dave', password='secret', service='imap', client='localhost'}",
     "user=\"dave\" service=imap client=-"},
    {"a malformed login leaves a line", "real.new(down):verify{user='\\1', password='secret'}",
     "verdict=refused reason=malformed user=\"\\x01\""},
};

static void test_line(void **state)
{
    const struct line_case *row = *state;
    lua_State *L = new_state();
    char *result;

    free(run(L, row->chunk));
    result = run(L, "return assert(io.open(log)):read('a')");
    assert_contains(result, row->expected);
    free(result);
    lua_close(L);
}

/* Dovecot as the example sees it; `module` stands for ours. */
#define DOVECOT                                                                                    \
    "dovecot = {auth = {PASSDB_RESULT_OK = 'OK', PASSDB_RESULT_PASSWORD_MISMATCH = 'MISMATCH',"    \
    " PASSDB_RESULT_INTERNAL_FAILURE = 'FAILURE', PASSDB_RESULT_SCHEME_NOT_AVAILABLE = 'SCHEME',"  \
    " PASSDB_RESULT_USER_UNKNOWN = 'UNKNOWN'}}"                                                    \
    " asked = {}\n"                                                                                \
    "function answers(...) local answer = table.pack(...)\n"                                       \
    " package.loaded.app_password = {new = function() return {verify = function(_, attempt)\n"     \
    " asked = attempt return table.unpack(answer, 1, answer.n) end} end} end\n"                    \
    "function finds(...) local answer = table.pack(...)\n"                                         \
    " package.loaded.app_password = {new = function() return {lookup = function(_, attempt)\n"     \
    " asked = attempt return table.unpack(answer, 1, answer.n) end} end} end\n"                    \
    "function look_up(request) dofile(example) return auth_passdb_lookup(request) end\n"           \
    "function sign_in(request) dofile(example)\n"                                                  \
    " return auth_password_verify(request or {user = 'alice'}, 'secret') end\n"

static const struct chunk_case examples[] = {
    {"accepted is OK, and the name becomes the user",
     "answers('accepted', 'alice')\n"
     "local result, fields = sign_in{user = 'Alice'}\n"
     "return result .. ' ' .. fields.user",
     "OK alice"},
    {"Dovecot 2.4 learns how somebody signed in",
     "answers('accepted', 'alice', 'k7q2:alice')\n"
     "local result, fields = sign_in{user = 'Alice', protocol = 'imap'}\n"
     "return result .. ' ' .. fields.user .. ' ' .. fields.userdb_user_app_password",
     "OK alice k7q2:alice"},
    {"Dovecot 2.3 has no use for it",
     "answers('accepted', 'alice', 'k7q2:alice')\n"
     "local result, fields = sign_in{user = 'Alice', service = 'imap'}\n"
     "return result .. ' ' .. tostring(fields.userdb_user_app_password)",
     "OK nil"},
    {"refused is PASSWORD_MISMATCH, with a string for Dovecot 2.3",
     "answers('refused')\nlocal result, text = sign_in()\nreturn result .. ' ' .. type(text)",
     "MISMATCH string"},
    {"unavailable is INTERNAL_FAILURE, and says why",
     "answers('unavailable', nil, 'no answer')\n"
     "local result, text = sign_in()\nreturn result .. ' ' .. text",
     "FAILURE app-password: no answer"},
    {"no verdict is INTERNAL_FAILURE", "answers()\nreturn (sign_in())", "FAILURE"},
    {"a verdict that nobody knows is INTERNAL_FAILURE",
     "answers('Accepted', 'alice')\n"
     "return (sign_in())",
     "FAILURE"},
    {"true is INTERNAL_FAILURE", "answers(true, 'alice')\nreturn (sign_in())", "FAILURE"},
    {"the real module's outage is INTERNAL_FAILURE",
     "package.loaded.app_password = {new = function() return real.new(down) end}\n"
     "return (sign_in())",
     "FAILURE"},
    {"the real module's refusal is PASSWORD_MISMATCH",
     "package.loaded.app_password = {new = function() return real.new(down) end}\n"
     "return (sign_in{user = ' '})",
     "MISMATCH"},
    {"Dovecot 2.3 calls it service",
     "answers('refused')\nsign_in{user = 'alice', service = 'imap', "
     "remote_ip = '192.0.2.7'}\n"
     "return asked.service .. ' ' .. asked.client",
     "imap 192.0.2.7"},
    {"Dovecot 2.4 calls it protocol",
     "answers('refused')\nsign_in{user = 'alice', protocol = 'imap'}\n"
     "return asked.service",
     "imap"},
    {"the time of arrival is passed on",
     "answers('refused')\nsign_in{user = 'alice', passdb = {arrived = '1'}}\nreturn asked.arrived",
     "1"},
    {"the passdb that notes it accepts nobody",
     "dofile(arrived)\nlocal result, fields = auth_password_verify({}, 'secret')\n"
     "return result .. ' ' .. fields.noauthenticate .. ' ' .."
     " tostring(os.time() - tonumber(fields.arrived) < 60)",
     "OK yes true"},
    {"nor in a lookup",
     "dofile(arrived)\nlocal result, fields = auth_passdb_lookup({})\n"
     "return result .. ' ' .. fields.noauthenticate",
     "OK yes"},
    {"a user who exists is OK with a password that none matches",
     "finds('exists', 'alice')\n"
     "local result, fields = look_up{user = 'Alice'}\n"
     "return result .. ' ' .. fields.user .. ' ' .. fields.password .. ' ' .. "
     "tostring(fields.nopassword)",
     "OK alice {CRYPT}* nil"},
    {"a user who does not is USER_UNKNOWN",
     "finds('unknown')\nlocal result, text = look_up{user = 'Alice'}\n"
     "return result .. ' ' .. type(text)",
     "UNKNOWN string"},
    {"a lookup without an answer is INTERNAL_FAILURE",
     "finds('unavailable', nil, 'no answer')\n"
     "local result, text = look_up{user = 'alice', mech = ''}\nreturn result .. ' ' .. text",
     "FAILURE app-password: no answer"},
    {"an answer that nobody knows is INTERNAL_FAILURE",
     "finds('Exists', 'alice')\nreturn (look_up{user = 'alice'})", "FAILURE"},
    {"accepted is no answer to a lookup",
     "finds('accepted', 'alice')\nreturn (look_up{user = 'alice'})", "FAILURE"},
    {"a mechanism gets no lookup (2.4)",
     "finds('exists', 'alice')\nreturn (look_up{user = 'alice', mechanism = 'CRAM-MD5'})",
     "SCHEME"},
    {"a mechanism gets no lookup (2.3)",
     "finds('exists', 'alice')\nreturn (look_up{user = 'alice', mech = 'GSSAPI'})", "SCHEME"},
    {"nor does a chain in which another passdb accepted",
     "finds('exists', 'alice')\nreturn (look_up{user = 'alice', skip_password_check = true})",
     "SCHEME"},
    {"a master user's password is not checked as the user's",
     "finds('exists', 'alice')\n"
     "local result, fields = sign_in{user = 'Alice', skip_password_check = true,"
     " master_user = 'root'}\n"
     "return result .. ' ' .. fields.user .. ' ' .. tostring(fields.password)",
     "OK alice nil"},
    {"a master user of somebody who does not exist is refused",
     "finds('unknown')\n"
     "return (sign_in{user = 'bob', skip_password_check = true, master_user = 'root'})",
     "UNKNOWN"},
    {"a master user whose password nobody checked is no reason to skip ours",
     "answers('refused')\n"
     "return (sign_in{user = 'alice', skip_password_check = false, master_user = 'root'})",
     "MISMATCH"},
    {"nor is another passdb that accepted",
     "answers('refused')\n"
     "return (sign_in{user = 'alice', skip_password_check = true, master_user = ''})",
     "MISMATCH"},
};

static void test_example(void **state)
{
    const struct chunk_case *row = *state;
    lua_State *L = new_state();
    char *result;

    free(run(L, DOVECOT));
    result = run(L, row->chunk);
    assert_string_equal(result, row->expected);
    free(result);
    lua_close(L);
}

int main(void)
{
    write_configurations();
    UNIT_ROWS(chunks, test_chunk);
    UNIT_ROWS(lines, test_line);
    UNIT_ROWS(examples, test_example);
    return unit_run();
}
