/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin inside libsasl2, beside the stock plugins and a verifier that says yes to everything.
 * No directory: its configuration is broken or missing, and nothing may be accepted. */
#include "unit.h"
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LeakSanitizer mistakes a library's thread-local data 16 bytes into a page for a block of glibc,
 * reads a wrong length there, and crashes. So it must not look there, and ignores what dlerror()
 * keeps there. */
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_options(void)
{
    return "use_tls=0:print_suppressions=0";
}

const char *__lsan_default_suppressions(void)
{
    return "leak:_dlerror_run\nleak:_dl_exception_create\n";
}

static const char *config_path;
static char plugin_path[4096];

/* libsasl2's own PLAIN and LOGIN, in a folder without other installed plugins, some of which leak.
 */
static char stock_folder[] = "/tmp/test_plugin.XXXXXX";
static const char *const stock_plugins[] = {"libplain.so", "liblogin.so"};

/* Ours, without the modules for Lua and PAM that are built into the same folder. */
static char our_folder[] = "/tmp/test_plugin.XXXXXX";
static char our_link[64];

static void link_our_plugin(void)
{
    if (mkdtemp(our_folder) == NULL)
        abort();
    snprintf(our_link, sizeof our_link, "%s/libapppassword.so", our_folder);
    if (symlink(PLUGIN_FOLDER "/libapppassword.so", our_link) != 0)
        abort();
}

static void unlink_our_plugin(void)
{
    unlink(our_link);
    rmdir(our_folder);
}

static void link_stock_plugins(void)
{
    if (mkdtemp(stock_folder) == NULL)
        abort();
    for (size_t i = 0; i < sizeof stock_plugins / sizeof stock_plugins[0]; i++) {
        char target[512], link[64];

        snprintf(target, sizeof target, "%s/%s", STOCK_FOLDER, stock_plugins[i]);
        snprintf(link, sizeof link, "%s/%s", stock_folder, stock_plugins[i]);
        if (symlink(target, link) != 0)
            abort();
    }
}

static void unlink_stock_plugins(void)
{
    for (size_t i = 0; i < sizeof stock_plugins / sizeof stock_plugins[0]; i++) {
        char link[64];

        snprintf(link, sizeof link, "%s/%s", stock_folder, stock_plugins[i]);
        unlink(link);
    }
    rmdir(stock_folder);
}

static int get_option(void *context, const char *plugin, const char *option, const char **result,
                      unsigned *length)
{
    static const char *const options[][2] = {
        {"mech_list", "PLAIN LOGIN"},
        {"canon_user_plugin", "apppassword"},
        {"auxprop_plugin", "none"},
    };

    (void)context;
    (void)plugin;
    *result = NULL;
    if (strcmp(option, "apppassword_config") == 0)
        *result = config_path;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(option, options[i][0]) == 0)
            *result = options[i][1];
    if (*result != NULL && length != NULL)
        *length = (unsigned)strlen(*result);
    return *result == NULL ? SASL_FAIL : SASL_OK;
}

static int get_path(void *context, const char **path)
{
    (void)context;
    *path = plugin_path;
    return SASL_OK;
}

static int say_nothing(void *context, int level, const char *message)
{
    (void)context;
    (void)level;
    (void)message;
    return SASL_OK;
}

static int say_yes(sasl_conn_t *conn, void *context, const char *user, const char *password,
                   unsigned length, struct propctx *properties)
{
    (void)conn;
    (void)context;
    (void)user;
    (void)password;
    (void)length;
    (void)properties;
    return SASL_OK;
}

/* The result of the program's canon_user, which accepts the name if this is SASL_OK. */
static int canon_user_result;

static int canon_user(sasl_conn_t *conn, void *context, const char *in, unsigned length,
                      unsigned flags, const char *realm, char *out, unsigned size,
                      unsigned *length_r)
{
    (void)conn;
    (void)context;
    (void)flags;
    (void)realm;
    if (canon_user_result != SASL_OK)
        return canon_user_result;
    if (length >= size)
        return SASL_BUFOVER;
    memmove(out, in, length);
    out[length] = '\0';
    *length_r = length;
    return SASL_OK;
}

#define CALLBACK(function) ((int (*)(void))(void (*)(void))(function))

static void start(const char *config)
{
    static const sasl_callback_t callbacks[] = {
        {SASL_CB_GETOPT, CALLBACK(get_option), NULL},
        {SASL_CB_GETPATH, CALLBACK(get_path), NULL},
        {SASL_CB_LOG, CALLBACK(say_nothing), NULL},
        {SASL_CB_CANON_USER, CALLBACK(canon_user), NULL},
        {SASL_CB_SERVER_USERDB_CHECKPASS, CALLBACK(say_yes), NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };

    config_path = config;
    assert_int_equal(sasl_server_init(callbacks, "apw-test"), SASL_OK);
}

static sasl_conn_t *new_connection(void)
{
    sasl_conn_t *conn = NULL;

    assert_int_equal(sasl_server_new("smtp", "mail.example.org", NULL, NULL, NULL, NULL, 0, &conn),
                     SASL_OK);
    return conn;
}

static int plain(sasl_conn_t *conn)
{
    static const char message[] = "\0alice\0password";
    const char *answer;
    unsigned length;

    return sasl_server_start(conn, "PLAIN", message, sizeof message - 1, &answer, &length);
}

static int check_password(sasl_conn_t *conn)
{
    return sasl_checkpass(conn, "alice", 5, "password", 8);
}

static void test_broken_configuration(void **state)
{
    sasl_conn_t *conn;

    (void)state;
    start("/nonexistent/app-password.conf");
    conn = new_connection();
    assert_int_equal(plain(conn), SASL_UNAVAIL);
    sasl_dispose(&conn);
    sasl_done();
}

static void test_not_configured(void **state)
{
    sasl_conn_t *conn;

    (void)state;
    start(NULL);
    conn = new_connection();
    assert_int_not_equal(plain(conn), SASL_OK);
    sasl_dispose(&conn);
    sasl_done();
}

static void test_checkpass(void **state)
{
    const char *answer;
    unsigned length;
    sasl_conn_t *conn;

    (void)state;
    start("/nonexistent/app-password.conf");
    conn = new_connection();
    assert_int_not_equal(check_password(conn), SASL_OK);
    assert_int_equal(plain(conn), SASL_UNAVAIL);
    assert_int_not_equal(check_password(conn), SASL_OK);
    assert_int_equal(sasl_server_start(conn, "LOGIN", NULL, 0, &answer, &length), SASL_CONTINUE);
    assert_int_not_equal(check_password(conn), SASL_OK);
    sasl_dispose(&conn);
    sasl_done();
}

static void test_loaded_twice(void **state)
{
    char folder[] = "/tmp/apw-unit-XXXXXX", link[64];
    sasl_conn_t *conn;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(link, sizeof link, "%s/again", folder);
    assert_int_equal(symlink(our_folder, link), 0);
    snprintf(plugin_path, sizeof plugin_path, "%s:%s:%s", our_folder, link, stock_folder);
    start("/nonexistent/app-password.conf");
    conn = new_connection();
    assert_int_equal(plain(conn), SASL_UNAVAIL);
    sasl_dispose(&conn);
    sasl_done();
    unlink(link);
    rmdir(folder);
}

/* ---- the program's own say about a name, before we are asked ---- */

#define REFUSED_LINE                                                                               \
    " app-password: verdict=refused reason=malformed user=\"alice\" service=smtp client=- id=- "   \
    "error=\"the program rejected the name: "
#define UNAVAILABLE_LINE                                                                           \
    " app-password: verdict=unavailable reason=internal-error user=\"alice\" service=smtp "        \
    "client=- id=- error=\"the program rejected the name: "

static const struct canon_case {
    const char *name;
    int result; /* of canon_user */
    int answer; /* to the client */
    const char *line;
} canon_cases[] = {
    {"a name refused by SASL_BADAUTH is refused", SASL_BADAUTH, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_BADPROT is refused", SASL_BADPROT, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_BADPARAM is refused", SASL_BADPARAM, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_BUFOVER is refused", SASL_BUFOVER, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_NOUSER is refused", SASL_NOUSER, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_NOAUTHZ is refused", SASL_NOAUTHZ, SASL_BADAUTH, REFUSED_LINE},
    {"a name refused by SASL_DISABLED is refused", SASL_DISABLED, SASL_BADAUTH, REFUSED_LINE},
    {"a program without memory is an outage", SASL_NOMEM, SASL_UNAVAIL, UNAVAILABLE_LINE},
    {"a program that fails is an outage", SASL_FAIL, SASL_UNAVAIL, UNAVAILABLE_LINE},
};

/* A configuration that lacks everything else. */
static void write_log_only(const char *path, const char *log)
{
    char text[UNIT_PATH_SIZE + 32];

    snprintf(text, sizeof text, "refusal_delay 0\nlog %s\n", log);
    unit_write(path, text, strlen(text));
}

static void read_log(const char *path, char text_r[2048])
{
    FILE *file = fopen(path, "re");

    text_r[0] = '\0';
    if (file == NULL)
        return;
    text_r[fread(text_r, 1, 2047, file)] = '\0';
    fclose(file);
}

static void test_canon(void **state)
{
    const struct canon_case *row = *state;
    char conf[UNIT_PATH_SIZE], log[UNIT_PATH_SIZE], text[2048];
    sasl_conn_t *conn;

    unit_path("app-password.conf", conf);
    unit_path("log", log);
    unlink(log);
    write_log_only(conf, log);
    start(conf);
    conn = new_connection();
    canon_user_result = row->result;
    assert_int_equal(plain(conn), row->answer);
    canon_user_result = SASL_OK;
    sasl_dispose(&conn);
    sasl_done();
    read_log(log, text);
    assert_contains(text, row->line);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static const struct message_case {
    const char *name;
    const char *mechanism;
    const char *bytes;
    unsigned length;
} message_cases[] = {
    {"PLAIN without a NUL leaves a line", "PLAIN", "alice", 5},
    {"PLAIN with one NUL leaves a line", "PLAIN", "\0alice", 6},
    {"an empty PLAIN leaves a line", "PLAIN", "", 0},
};

static void test_message(void **state)
{
    const struct message_case *row = *state;
    char conf[UNIT_PATH_SIZE], log[UNIT_PATH_SIZE], text[2048];
    const char *answer;
    unsigned length;
    sasl_conn_t *conn;

    unit_path("app-password.conf", conf);
    unit_path("log", log);
    unlink(log);
    write_log_only(conf, log);
    start(conf);
    conn = new_connection();
    assert_int_equal(
        sasl_server_start(conn, row->mechanism, row->bytes, row->length, &answer, &length),
        SASL_BADPROT);
    sasl_dispose(&conn);
    sasl_done();
    read_log(log, text);
    assert_contains(text, " verdict=refused reason=malformed user=\"\" service=smtp client=- id=-");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
    int status;

    UNIT_TEST("a broken configuration is unavailable", test_broken_configuration);
    UNIT_TEST("where it is not configured, the guard lets nobody else accept", test_not_configured);
    UNIT_TEST("sasl_checkpass() never passes the guard, whatever went before it", test_checkpass);
    UNIT_TEST("a plugin that is found twice is freed once", test_loaded_twice);
    UNIT_ROWS(canon_cases, test_canon);
    UNIT_ROWS(message_cases, test_message);

    link_our_plugin();
    link_stock_plugins();
    snprintf(plugin_path, sizeof plugin_path, "%s:%s", our_folder, stock_folder);
    /* For the SASL client that the plugin makes of the process, without callbacks of ours. */
    setenv("SASL_PATH", stock_folder, 1);
    status = unit_run();
    unlink_stock_plugins();
    unlink_our_plugin();
    return status;
}
