/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of doveconf, as the doctor reads it. */
#include "doctor/doveconf.h"
#include "unit.h"

/* Reads `text`; the caller frees *conf_r in either case. */
static int read_text(const char *text, struct apw_doctor_doveconf **conf_r, unsigned *line_r)
{
    char *copy = unit_copy(text, strlen(text));
    FILE *file = *text == '\0' ? fopen("/dev/null", "re") : fmemopen(copy, strlen(text), "r");
    int status;

    *conf_r = malloc(sizeof **conf_r);
    if (file == NULL || *conf_r == NULL)
        abort();
    status = apw_doctor_doveconf_read(file, *conf_r, line_r);
    fclose(file);
    free(copy);
    return status;
}

static const struct passdb_case {
    const char *name;
    const char *text;
    struct apw_doctor_passdb passdb; /* the first; without driver: none */
} passdbs[] = {
    {"Lua in 2.3",
     "passdb {\n  args = file=/etc/dovecot/x.lua blocking=yes\n  driver = lua\n"
     "  result_failure = return-fail\n  result_internalfail = return-fail\n}\n",
     {.driver = "lua",
      .file = "/etc/dovecot/x.lua",
      .result_failure = "return-fail",
      .result_internalfail = "return-fail"}},
    {"Lua in 2.3 without a worker",
     "passdb {\n  args = blocking=no file=x.lua\n  driver = lua\n}\n",
     {.driver = "lua", .file = "x.lua", .is_without_worker = true}},
    {"Lua in 2.4",
     "passdb lua {\n  lua_file = /x.lua\n  use_worker = yes\n  result_success = return-ok\n}\n",
     {.driver = "lua", .file = "/x.lua", .result_success = "return-ok"}},
    {"Lua in 2.4 without a worker",
     "passdb lua {\n  lua_file = /x.lua\n  use_worker = no\n}\n",
     {.driver = "lua", .file = "/x.lua", .is_without_worker = true}},
    {"2.4 with a name that is not the driver's",
     "passdb first {\n  driver = lua\n  lua_file = /x.lua\n}\n",
     {.driver = "lua", .file = "/x.lua"}},
    {"2.4 with the long names of settings",
     "passdb pam {\n  passdb_pam_service_name = imap\n  passdb_result_failure = return-fail\n}\n",
     {.driver = "pam", .service = "imap", .result_failure = "return-fail"}},
    {"PAM in 2.3 with options",
     "passdb {\n  args = session=yes failure_show_msg=yes imap\n  driver = pam\n}\n",
     {.driver = "pam", .service = "imap"}},
    {"PAM in 2.3 with the service's own name",
     "passdb {\n  args = *\n  driver = pam\n}\n",
     {.driver = "pam", .service = "%s"}},
    {"PAM in 2.4 with the protocol's name",
     "passdb pam {\n  service_name = %{protocol}\n}\n",
     {.driver = "pam", .service = "%{protocol}"}},
    {"a master passdb",
     "passdb {\n  driver = passwd-file\n  master = yes\n}\n",
     {.driver = "passwd-file", .is_master = true}},
    {"Debian's master passdb",
     "passdb {\n  args = /etc/dovecot/master-users\n  driver = passwd-file\n  master = yes\n"
     "  pass = yes\n}\n",
     {.driver = "passwd-file",
      .service = "/etc/dovecot/master-users",
      .is_master = true,
      .is_pass = true}},
    {"a static passdb that authenticates nobody",
     "passdb {\n  args = noauthenticate reason=An\tapp\tpassword\n  driver = static\n}\n",
     {.driver = "static", .is_without_authentication = true}},
    {"a tab is part of the text",
     "passdb {\n  args = reason=No\tnoauthenticate\n  driver = static\n}\n",
     {.driver = "static"}},
    {"only fields are fields",
     "passdb static {\n  default {\n    noauthenticate = yes\n  }\n}\n",
     {.driver = "static"}},
    {"fields of another block are not those of the passdb before it",
     "passdb static {\n}\npassdb_x {\n  fields {\n    noauthenticate = yes\n  }\n}\n",
     {.driver = "static"}},
    {"the same in 2.4",
     "passdb static {\n  fields {\n    noauthenticate = yes\n    reason = x\n  }\n}\n",
     {.driver = "static", .is_without_authentication = true}},
    {"a Lua passdb that authenticates nobody",
     "passdb {\n  args = file=/x.lua blocking=no\n  default_fields = noauthenticate=yes\n"
     "  driver = lua\n}\n",
     {.driver = "lua",
      .file = "/x.lua",
      .is_without_authentication = true,
      .is_without_worker = true}},
    {"behind another field, too",
     "passdb {\n  default_fields = x=y noauthenticate=yes\n  driver = lua\n}\n",
     {.driver = "lua", .is_without_authentication = true}},
    {"in those fields, a tab is part of the text",
     "passdb {\n  default_fields = x=y\tnoauthenticate=yes\n  driver = lua\n}\n",
     {.driver = "lua"}},
    {"a static passdb with a password",
     "passdb static {\n  passdb_static_password = x\n  fields {\n    reason = noauthenticate\n  "
     "}\n}\n",
     {.driver = "static"}},
    {"a deny passdb",
     "passdb {\n  driver = passwd-file\n  deny = Yes\n}\n",
     {.driver = "passwd-file", .is_deny = true}},
    {"a block in a passdb has settings of its own",
     "passdb ldap {\n  fields {\n    driver = lua\n    master = yes\n  }\n}\n",
     {.driver = "ldap"}},
    {"a passdb in another block does not count",
     "protocol imap {\n  passdb {\n    driver = lua\n  }\n}\n",
     {.driver = ""}},
    {"a block whose name begins like passdb is not a passdb",
     "passdb_default {\n  driver = lua\n}\n",
     {.driver = ""}},
    {"a line that is commented out does not count",
     "passdb {\n  driver = pam\n  # master = yes\n}\n",
     {.driver = "pam"}},
};

static void test_passdb(void **state)
{
    const struct passdb_case *row = *state;
    const struct apw_doctor_passdb *expected = &row->passdb, *passdb;
    struct apw_doctor_doveconf *conf;
    unsigned line;

    assert_int_equal(read_text(row->text, &conf, &line), 0);
    passdb = &conf->passdb[0];
    assert_int_equal(conf->passdb_count, expected->driver[0] != '\0' ? 1 : 0);
    assert_string_equal(passdb->driver, expected->driver);
    assert_string_equal(passdb->file, expected->file);
    assert_string_equal(passdb->service, expected->service);
    assert_string_equal(passdb->result_success, expected->result_success);
    assert_string_equal(passdb->result_failure, expected->result_failure);
    assert_string_equal(passdb->result_internalfail, expected->result_internalfail);
    assert_int_equal(passdb->is_master, expected->is_master);
    assert_int_equal(passdb->is_deny, expected->is_deny);
    assert_int_equal(passdb->is_without_authentication, expected->is_without_authentication);
    assert_int_equal(passdb->is_pass, expected->is_pass);
    assert_int_equal(passdb->is_without_worker, expected->is_without_worker);
    free(conf);
}

static void test_order(void **state)
{
    struct apw_doctor_doveconf *conf;
    unsigned line;

    (void)state;
    assert_int_equal(read_text("passdb {\n  driver = lua\n}\npassdb pam {\n}\n", &conf, &line), 0);
    assert_int_equal(conf->passdb_count, 2);
    assert_string_equal(conf->passdb[0].driver, "lua");
    assert_string_equal(conf->passdb[1].driver, "pam");
    free(conf);
}

static void test_global(void **state)
{
    struct apw_doctor_doveconf *conf;
    unsigned line;

    (void)state;
    assert_int_equal(read_text("# 2.3.19.1: /etc/dovecot/dovecot.conf\n"
                               "auth_cache_size = 10 M\nauth_mechanisms = plain login\n"
                               "default_vsz_limit = 1 G\nmail_location = \n"
                               "service auth-worker {\n  vsz_limit = 512 M\n  user = root\n}\n"
                               "service imap {\n  vsz_limit = 2 G\n}\n"
                               "protocol lmtp {\n  auth_cache_size = 20 M\n}\n",
                               &conf, &line),
                     0);
    assert_string_equal(conf->auth_cache_size, "10 M");
    assert_string_equal(conf->auth_mechanisms, "plain login");
    assert_string_equal(conf->default_vsz_limit, "1 G");
    assert_string_equal(conf->worker_vsz_limit, "512 M");
    free(conf);
}

static const struct protocols_case {
    const char *name;
    const char *text;
    const char *without; /* one of imap, pop3, lmtp and smtp; all others are there */
} protocols[] = {
    {"2.3, Debian's", "protocols = \" imap pop3 lmtp\"\n", "smtp"},
    {"2.3, its default", "# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf\n", "smtp"},
    {"2.3, with a socket for Postfix",
     "protocols = imap lmtp\nservice auth {\n  unix_listener /var/spool/postfix/private/auth {\n"
     "    mode = 0660\n  }\n}\n",
     "pop3"},
    {"2.3, with a socket of its own",
     "protocols = imap lmtp pop3\nservice auth {\n  unix_listener auth-userdb {\n  }\n}\n", "smtp"},
    {"2.4",
     "protocols {\n  imap = yes\n  lmtp = no\n  pop3 = yes\n}\n"
     "service auth {\n  unix_listener /x/auth {\n  }\n}\n",
     "lmtp"},
};

static void test_protocols(void **state)
{
    static const char *const all[] = {"imap", "pop3", "lmtp", "smtp"};
    const struct protocols_case *row = *state;
    struct apw_doctor_doveconf *conf;
    unsigned line;

    assert_int_equal(read_text(row->text, &conf, &line), 0);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(apw_doctor_doveconf_has_protocol(conf, all[i]),
                         strcmp(all[i], row->without) != 0);
    assert_false(apw_doctor_doveconf_has_protocol(conf, "map"));
    free(conf);
}

static void test_many(void **state)
{
    char *text = unit_repeat("passdb {\n  driver = lua\n}\n", APW_DOCTOR_DOVECONF_PASSDBS_MAX + 1);
    struct apw_doctor_doveconf *conf;
    unsigned line;

    (void)state;
    assert_int_equal(read_text(text, &conf, &line), 0);
    assert_int_equal(conf->passdb_count, APW_DOCTOR_DOVECONF_PASSDBS_MAX);
    free(conf);
    free(text);
}

static void test_long(void **state)
{
    char *value = unit_repeat("x", 2 * APW_DOCTOR_DOVECONF_TEXT_SIZE), *text;
    struct apw_doctor_doveconf *conf;
    unsigned line;

    (void)state;
    assert_true(asprintf(&text, "passdb {\n  driver = %s\n  args = file=%s\n}\n", value, value) >
                0);
    assert_int_equal(read_text(text, &conf, &line), 0);
    assert_int_equal(strlen(conf->passdb[0].driver), APW_DOCTOR_DOVECONF_TEXT_SIZE - 1);
    free(conf);
    free(text);
    free(value);
}

static const struct rejected_case {
    const char *name;
    const char *text;
    unsigned line;
} rejected[] = {
    {"an empty file", "", 0},
    {"a line without an equals sign", "a = b\nhello\n", 2},
    {"a closing brace too many", "a = b\n}\n", 2},
    {"a file that is cut off in a block", "passdb {\n  driver = lua\n", 2},
    {"an error message of doveconf", "doveconf: Fatal: Error in configuration file\n", 1},
};

static void test_rejected(void **state)
{
    const struct rejected_case *row = *state;
    struct apw_doctor_doveconf *conf;
    unsigned line;

    assert_int_equal(read_text(row->text, &conf, &line), -1);
    assert_int_equal(line, row->line);
    free(conf);
}

static const struct size_case {
    const char *name;
    const char *text;
    unsigned long long mebibytes;
} sizes[] = {
    {"MiB", "512 M", 512},
    {"MiB with a longer unit, without a space", "512MB", 512},
    {"GiB", "1 G", 1024},
    {"TiB", "2 T", 2 * 1024 * 1024},
    {"KiB", "262144 k", 256},
    {"KiB in capitals", "262144 K", 256},
    {"bytes", "268435456 B", 256},
    {"bytes without a unit", "268435456", 256},
    {"less than a MiB is not unlimited", "512 k", 1},
    {"some bytes are not unlimited", "1", 1},
    {"zero is unlimited", "0", 0},
    {"the largest number is unlimited", "18446744073709551615 B", 0},
    {"a word is unlimited", "unlimited", 0},
};

static void test_size(void **state)
{
    const struct size_case *row = *state;

    assert_int_equal(apw_doctor_doveconf_mebibytes(row->text), row->mebibytes);
}

int main(void)
{
    UNIT_ROWS(passdbs, test_passdb);
    UNIT_TEST("passdbs keep their order", test_order);
    UNIT_TEST("settings outside of passdbs", test_global);
    UNIT_TEST("passdbs beyond the maximum are left out", test_many);
    UNIT_TEST("a value that is too long is cut off", test_long);
    UNIT_ROWS(protocols, test_protocols);
    UNIT_ROWS(rejected, test_rejected);
    UNIT_ROWS(sizes, test_size);
    return unit_run();
}
