/* SPDX-License-Identifier: BSD-2-Clause */
/* A libsasl2 program's configuration file, as the doctor and as libsasl2 itself read it. */
#include "doctor/saslconf.h"
#include "unit.h"
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#define TEN(text) text text text text text text text text text text

static const struct conf_case {
    const char *name;
    const char *text;
    const char *value; /* of mech_list; NULL: not set */
    unsigned line;     /* the line for which the whole file is rejected; 0: none */
} confs[] = {
    {"an empty file", "", NULL, 0},
    {"one option", "mech_list: PLAIN LOGIN\n", "PLAIN LOGIN", 0},
    {"no line end at the end", "mech_list: PLAIN", "PLAIN", 0},
    {"comments and empty lines", "# mech_list: LOGIN\n\n \t\n  # x\nmech_list: PLAIN\n", "PLAIN",
     0},
    {"a number sign after the value is part of it", "mech_list: PLAIN # x\n", "PLAIN # x", 0},
    {"white space in front of the name", " \tmech_list: PLAIN\n", "PLAIN", 0},
    {"other white space in front of the name", "\v\fmech_list: PLAIN\n", "PLAIN", 0},
    {"no white space after the colon", "mech_list:PLAIN\n", "PLAIN", 0},
    {"white space around the value", "mech_list: \t PLAIN LOGIN \t \n", "PLAIN LOGIN", 0},
    {"a line end of another system", "mech_list: PLAIN\r\n", "PLAIN", 0},
    {"a name in capitals", "MECH_List: PLAIN\n", "PLAIN", 0},
    {"of an option that is given twice the first counts", "mech_list: PLAIN\nmech_list: LOGIN\n",
     "PLAIN", 0},
    {"a colon in the value", "mech_list: a:b\n", "a:b", 0},
    {"a name with a dash and digits", "a-1: x\nmech_list: PLAIN\n", "PLAIN", 0},
    {"more options than libsasl2 makes room for at once",
     TEN(TEN("option: value\n")) TEN("option: value\n") "mech_list: PLAIN\n", "PLAIN", 0},
    {"no colon", "mech_list PLAIN\n", NULL, 1},
    {"white space before the colon", "mech_list : PLAIN\n", NULL, 1},
    {"an equals sign", "pwcheck_method: disabled\nmech_list = PLAIN\n", NULL, 2},
    {"a dot in the name", "mech.list: PLAIN\n", NULL, 1},
    {"no name is a name", ": x\nmech_list: PLAIN\n", "PLAIN", 0},
    {"no value", "mech_list:\n", NULL, 1},
    {"a value of white space", "mech_list: \t \n", NULL, 1},
    {"a bad line after good ones", "a: b\n\n# x\nmech_list: PLAIN\nnonsense\n", "PLAIN", 5},
};

static void test_doctor(void **state)
{
    const struct conf_case *row = *state;
    char *text = unit_copy(row->text, strlen(row->text));
    FILE *file =
        *row->text == '\0' ? fopen("/dev/null", "re") : fmemopen(text, strlen(row->text), "r");
    struct apw_doctor_saslconf conf;
    unsigned line;
    int status = apw_doctor_saslconf_read(file, &conf, &line);
    const char *value = apw_doctor_saslconf_value(&conf, "mech_list");

    assert_int_equal(status, row->line > 0 ? -1 : 0);
    if (status != 0)
        assert_int_equal(line, row->line);
    assert_int_equal(value == NULL, row->value == NULL);
    if (value != NULL)
        assert_string_equal(value, row->value);
    fclose(file);
    apw_doctor_saslconf_clear(&conf);
    free(text);
}

/* ---- libsasl2 ---- */

static char libsasl2_value[256];
static bool libsasl2_has_value;

/* A plugin that declines, and on the way reads the option as any plugin does. */
static int read_option(const sasl_utils_t *utils, int max_version, int *out_version,
                       sasl_server_plug_t **pluglist, int *plugcount)
{
    const char *value = NULL;

    (void)max_version, (void)out_version, (void)pluglist, (void)plugcount;
    if (utils->getopt(utils->getopt_context, NULL, "mech_list", &value, NULL) == SASL_OK &&
        value != NULL) {
        libsasl2_has_value = true;
        snprintf(libsasl2_value, sizeof libsasl2_value, "%s", value);
    }
    return SASL_NOMECH;
}

static void test_libsasl2(void **state)
{
    const struct conf_case *row = *state;
    char folder[UNIT_PATH_SIZE], path[UNIT_PATH_SIZE];
    int result;

    unit_write(unit_path("program.conf", path), row->text, strlen(row->text));
    unit_path("", folder);
    setenv("SASL_CONF_PATH", folder, 1);
    setenv("SASL_PATH", folder, 1); /* no plugins there */
    libsasl2_has_value = false;
    __lsan_disable(); /* libsasl2 forgets memory when it rejects a file */
    result = sasl_server_init(NULL, "program");
    if (result == SASL_OK) {
        sasl_server_add_plugin("reader", read_option);
        sasl_server_done();
    }
    __lsan_enable();
    assert_int_equal(result == SASL_OK, row->line == 0);
    if (result != SASL_OK)
        return;
    assert_int_equal(libsasl2_has_value, row->value != NULL);
    if (row->value != NULL)
        assert_string_equal(libsasl2_value, row->value);
}

/* ---- imapd.conf of Cyrus IMAP ---- */

static const struct cyrus_case {
    const char *name;
    const char *text;
    const char *value; /* of mech_list */
    unsigned unread;
    unsigned line;
} cyrus_cases[] = {
    {"Cyrus's prefix is removed", "sasl_mech_list: PLAIN\n", "PLAIN", 0, 0},
    {"in capitals, too", "SASL_MECH_LIST: PLAIN\n", "PLAIN", 0, 0},
    {"Cyrus's own options are not libsasl2's",
     "mech_list: LOGIN\nadmins: cyrus\nsasl_mech_list: PLAIN\n", "PLAIN", 0, 0},
    {"only Cyrus's own options", "sasl_pwcheck_method: disabled\nmech_list: LOGIN\n", NULL, 0, 0},
    {"an included file is not read", "sasl_mech_list: PLAIN\n@include: /etc/x.conf\n", "PLAIN", 2,
     0},
    {"an option of one service is not read",
     "sasl_mech_list: PLAIN\nimap_sasl_mech_list: CRAM-MD5\n", "PLAIN", 2, 0},
    {"libsasl2 itself knows no @include", "mech_list: PLAIN\n@include: /etc/x.conf\n", "", 0, 2},
    {"another directive is rejected", "sasl_mech_list: PLAIN\n@other: x\n", "", 0, 2},
};

static void test_cyrus(void **state)
{
    const struct cyrus_case *row = *state;
    char *text = unit_copy(row->text, strlen(row->text));
    FILE *file = fmemopen(text, strlen(row->text), "r");
    struct apw_doctor_saslconf conf;
    unsigned line;

    assert_int_equal(apw_doctor_saslconf_read(file, &conf, &line), row->line > 0 ? -1 : 0);
    if (row->line > 0) {
        assert_int_equal(line, row->line);
    } else {
        const char *value = apw_doctor_saslconf_value(&conf, "mech_list");

        assert_string_equal(conf.prefix, "sasl_");
        assert_int_equal(conf.unread, row->unread);
        assert_int_equal(value == NULL, row->value == NULL);
        if (value != NULL)
            assert_string_equal(value, row->value);
    }
    fclose(file);
    apw_doctor_saslconf_clear(&conf);
    free(text);
}

int main(void)
{
    UNIT_ROWS(confs, test_doctor);
    UNIT_ROWS(confs, test_libsasl2);
    UNIT_ROWS(cyrus_cases, test_cyrus);
    return unit_run();
}
