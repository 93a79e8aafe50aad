/* SPDX-License-Identifier: BSD-2-Clause */
/* A handle has our options, even if ldap.conf, LDAP* variables or the host program set others. */
#include "clock.h"
#include "ldap/directory.h"
#include "responder.h"
#include "unit.h"
#include <ldap.h>

#define PLENTY_MS 20000
#define PIN       "sha256:AAAA"

/* ---- calls to libldap ---- */

static LDAP *handle; /* of the last connection */
static bool is_pin_removed, is_crl_check_off;

int __real_ldap_init_fd(ber_socket_t fd, int protocol, LDAP_CONST char *uri, LDAP **ld_r);
int __wrap_ldap_init_fd(ber_socket_t fd, int protocol, LDAP_CONST char *uri, LDAP **ld_r);
int __real_ldap_set_option(LDAP *ld, int option, LDAP_CONST void *value);
int __wrap_ldap_set_option(LDAP *ld, int option, LDAP_CONST void *value);

/* ---- hostile options ---- */

enum kind { NUMBER = 0, SWITCH, PERIOD, TEXT, CONTROLS };

/* PROGRAM: by ldap_set_option(NULL, …), for options that files and variables cannot set. */
enum source { CONF = 0, ENVIRONMENT, PROGRAM };

static const struct option_case {
    const char *name;
    int option;
    enum kind kind;
    int hostile, ours;  /* seconds for a PERIOD, -1 for none */
    bool is_not_copied; /* a new handle does not take it from the global options (OpenLDAP 2.5) */
    enum source source;
    const char *key; /* in ldap.conf, and behind "LDAP" in the environment */
    const char *text;
} option_cases[] = {
    {"the version of the protocol is 3", LDAP_OPT_PROTOCOL_VERSION, NUMBER, 2, 3, false, CONF,
     "VERSION", "2"},
    {"aliases are not followed", LDAP_OPT_DEREF, NUMBER, LDAP_DEREF_ALWAYS, LDAP_DEREF_NEVER, false,
     CONF, "DEREF", "always"},
    {"referrals are not followed", LDAP_OPT_REFERRALS, SWITCH, 1, 0, false, CONF, "REFERRALS",
     "on"},
    {"libldap continues to wait after a signal", LDAP_OPT_RESTART, SWITCH, 0, 1, false, PROGRAM,
     NULL, NULL},
    {"the number of entries is not limited", LDAP_OPT_SIZELIMIT, NUMBER, 1, LDAP_NO_LIMIT, false,
     CONF, "SIZELIMIT", "1"},
    {"the server's time is not limited", LDAP_OPT_TIMELIMIT, NUMBER, 1, LDAP_NO_LIMIT, false,
     ENVIRONMENT, "TIMELIMIT", "1"},
    {"libldap has no timeout of its own", LDAP_OPT_TIMEOUT, PERIOD, 7, -1, false, CONF, "TIMEOUT",
     "7"},
    {"libldap has no network timeout of its own", LDAP_OPT_NETWORK_TIMEOUT, PERIOD, 8, -1, false,
     ENVIRONMENT, "NETWORK_TIMEOUT", "8"},
    {"libldap does not connect asynchronously", LDAP_OPT_CONNECT_ASYNC, SWITCH, 1, 0, false,
     PROGRAM, NULL, NULL},
    {"no server control is sent with everything", LDAP_OPT_SERVER_CONTROLS, CONTROLS, 1, 0, true,
     PROGRAM, NULL, NULL},
    {"no client control applies to everything", LDAP_OPT_CLIENT_CONTROLS, CONTROLS, 1, 0, true,
     PROGRAM, NULL, NULL},
    {"a certificate is demanded", LDAP_OPT_X_TLS_REQUIRE_CERT, NUMBER, LDAP_OPT_X_TLS_NEVER,
     LDAP_OPT_X_TLS_DEMAND, false, ENVIRONMENT, "TLS_REQCERT", "never"},
    {"the alternative names of a certificate count", LDAP_OPT_X_TLS_REQUIRE_SAN, NUMBER,
     LDAP_OPT_X_TLS_NEVER, LDAP_OPT_X_TLS_TRY, false, CONF, "TLS_REQSAN", "never"},
    {"the lowest version of TLS is that of tls_min", LDAP_OPT_X_TLS_PROTOCOL_MIN, NUMBER,
     LDAP_OPT_X_TLS_PROTOCOL_TLS1_0, LDAP_OPT_X_TLS_PROTOCOL_TLS1_3, true, CONF, "TLS_PROTOCOL_MIN",
     "3.1"},
    {"the highest version of TLS is not limited", LDAP_OPT_X_TLS_PROTOCOL_MAX, NUMBER,
     LDAP_OPT_X_TLS_PROTOCOL_TLS1_0, 0, true, ENVIRONMENT, "TLS_PROTOCOL_MAX", "3.1"},
    {"no folder of CA certificates is trusted", LDAP_OPT_X_TLS_CACERTDIR, TEXT, 1, 0, true, CONF,
     "TLS_CACERTDIR", "/hostile"},
    {"no certificate is shown to the server", LDAP_OPT_X_TLS_CERTFILE, TEXT, 1, 0, true,
     ENVIRONMENT, "TLS_CERT", "/hostile"},
    {"no key is used for the server", LDAP_OPT_X_TLS_KEYFILE, TEXT, 1, 0, true, ENVIRONMENT,
     "TLS_KEY", "/hostile"},
    {"no list of revoked certificates is read", LDAP_OPT_X_TLS_CRLFILE, TEXT, 1, 0, true, PROGRAM,
     NULL, NULL}, /* Debian 13's libldap does not read TLS_CRLFILE */
    {"no parameters of Diffie and Hellman are read", LDAP_OPT_X_TLS_DHFILE, TEXT, 1, 0, true,
     PROGRAM, NULL, NULL},
    {"no curve is preferred", LDAP_OPT_X_TLS_ECNAME, TEXT, 1, 0, true, ENVIRONMENT, "TLS_ECNAME",
     "/hostile"},
};

static void set_hostile(LDAP *ld, const struct option_case *row)
{
    LDAPControl control = {.ldctl_oid = (char *)"1.2.3.4"}, *controls[] = {&control, NULL};
    const struct timeval period = {.tv_sec = row->hostile};
    const void *value = &row->hostile;

    if (row->kind == SWITCH)
        value = row->hostile ? LDAP_OPT_ON : LDAP_OPT_OFF;
    else if (row->kind == PERIOD)
        value = &period;
    else if (row->kind == TEXT)
        value = "/hostile";
    else if (row->kind == CONTROLS)
        value = controls;
    if (__real_ldap_set_option(ld, row->option, value) != LDAP_OPT_SUCCESS)
        fail_msg("%s: libldap does not take the hostile value", row->name);
}

/* As in the table: a number, or for texts and controls whether one is set. */
static int read_option(LDAP *ld, const struct option_case *row)
{
    struct timeval *period = NULL;
    LDAPControl **controls = NULL;
    int number = -2, is_there;
    char *text = NULL;
    void *place = row->kind == PERIOD     ? (void *)&period
                  : row->kind == TEXT     ? (void *)&text
                  : row->kind == CONTROLS ? (void *)&controls
                                          : (void *)&number;

    if (ldap_get_option(ld, row->option, place) != LDAP_OPT_SUCCESS)
        fail_msg("%s: cannot be read", row->name);
    if (row->kind == PERIOD)
        number = period == NULL ? -1 : (int)period->tv_sec;
    if (row->kind == SWITCH)
        number = number != 0;
    is_there = text != NULL || controls != NULL;
    ldap_memfree(period);
    ldap_memfree(text);
    ldap_controls_free(controls);
    return row->kind == TEXT || row->kind == CONTROLS ? is_there : number;
}

/* libldap reads all this once in a process, at the first call. */
static void make_surroundings_hostile(void)
{
    char path[UNIT_PATH_SIZE], variable[64];
    FILE *conf = fopen(unit_path("ldap.conf", path), "we");

    if (conf == NULL)
        abort();
    unsetenv("LDAPNOINIT");
    setenv("LDAPCONF", path, 1);
    for (size_t i = 0; i < UNIT_COUNT(option_cases); i++) {
        const struct option_case *row = &option_cases[i];

        snprintf(variable, sizeof variable, "LDAP%s", row->key == NULL ? "" : row->key);
        if (row->source == CONF)
            fprintf(conf, "%s %s\n", row->key, row->text);
        if (row->source == CONF)
            unsetenv(variable);
        else if (row->source == ENVIRONMENT)
            setenv(variable, row->text, 1);
    }
    setenv("LDAPTLS_PEERKEY_HASH", PIN, 1);
    if (fclose(conf) != 0)
        abort();
}

static void make_program_hostile(void)
{
    for (size_t i = 0; i < UNIT_COUNT(option_cases); i++)
        if (option_cases[i].source == PROGRAM)
            set_hostile(NULL, &option_cases[i]);
}

/* A new handle copies the global options. Another release of libldap may copy those that this one
 * does not, so set them here. */
int __wrap_ldap_init_fd(ber_socket_t fd, int protocol, LDAP_CONST char *uri, LDAP **ld_r)
{
    int code = __real_ldap_init_fd(fd, protocol, uri, ld_r);

    if (code != LDAP_SUCCESS)
        return code;
    for (size_t i = 0; i < UNIT_COUNT(option_cases); i++)
        if (option_cases[i].is_not_copied)
            set_hostile(*ld_r, &option_cases[i]);
        else if (read_option(*ld_r, &option_cases[i]) != option_cases[i].hostile)
            fail_msg("%s: the new handle is not hostile", option_cases[i].name);
    is_pin_removed = is_crl_check_off = false;
    handle = *ld_r;
    return code;
}

int __wrap_ldap_set_option(LDAP *ld, int option, LDAP_CONST void *value)
{
    if (ld == handle && option == LDAP_OPT_X_TLS_PEERKEY_HASH)
        is_pin_removed = value == NULL;
    if (ld == handle && option == LDAP_OPT_X_TLS_CRLCHECK)
        is_crl_check_off = *(const int *)value == LDAP_OPT_X_TLS_CRL_NONE;
    return __real_ldap_set_option(ld, option, value);
}

/* ---- tests ---- */

static bool answer(const struct request *request)
{
    return responder_result(
        request, request->operation == BIND_REQUEST ? BIND_RESPONSE : SEARCH_DONE, 0, NULL, NULL);
}

/* A directory with an open connection, whose handle is `handle`. */
static struct apw_directory *connect_with(enum apw_tls_min tls_min)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_uris uris = {.count = 1, .uri = {(char *)responder_uri(0)}};
    const struct apw_identity identity = {.dn = (char *)"cn=mail", .password = (char *)"secret"};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .tls_min = tls_min, .timeout_ms = PLENTY_MS};
    struct apw_error error = {""};
    const struct apw_query query = {
        .base = "dc=example", .filter = "(uid=alice)", .attributes = attributes, .limit = 2};
    struct apw_directory *directory;
    struct apw_entry *entries;

    responder_expect(answer, NULL);
    handle = NULL;
    if (apw_directory_new(&settings, &directory, &error) != 0 ||
        apw_directory_search(directory, &query, apw_clock_monotonic_ms() + PLENTY_MS, &entries,
                             &error) != APW_LDAP_OK)
        fail_msg("%s", error.text);
    assert_non_null(handle);
    return directory;
}

static void test_surroundings(void **state)
{
    const struct option_case *row = *state;

    assert_int_equal(read_option(NULL, row), row->hostile);
}

static void test_option(void **state)
{
    const struct option_case *row = *state;
    struct apw_directory *directory = connect_with(APW_TLS_1_3);

    assert_int_equal(read_option(handle, row), row->ours);
    apw_directory_free(&directory);
}

static void test_tls_min(void **state)
{
    struct apw_directory *directory = connect_with(APW_TLS_1_2);
    int minimum = 0;

    (void)state;
    assert_int_equal(ldap_get_option(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum), 0);
    assert_int_equal(minimum, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2);
    apw_directory_free(&directory);
}

/* libldap cannot read back the pinned key, and the check of revocation lists only with OpenSSL, so
 * look at the calls. */
static void test_unreadable(void **state)
{
    struct apw_directory *directory = connect_with(APW_TLS_1_2);

    (void)state;
    assert_true(is_pin_removed);
    assert_true(is_crl_check_off);
    apw_directory_free(&directory);
}

int main(void)
{
    make_surroundings_hostile();
    make_program_hostile();
    for (size_t i = 0; i < UNIT_COUNT(option_cases); i++)
        unit_add("a hostile option is in effect", test_surroundings, &option_cases[i]);
    UNIT_ROWS(option_cases, test_option);
    UNIT_TEST("tls_min 1.2 is the lowest version of TLS", test_tls_min);
    UNIT_TEST("options that cannot be read back are set", test_unreadable);
    return responder_unit_run();
}
