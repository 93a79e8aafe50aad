/* SPDX-License-Identifier: BSD-2-Clause */
/* The log line about a change: names and errors can neither add a field nor look like a login. */
#include "audit.h"
#include "log.h"
#include "syslog_catcher.h"
#include "unit.h"
#include "utf8.h"
#include <regex.h>
#include <syslog.h>

#define START  "app-password: action=create actor=\"cn=admin\" user="
#define END    " id=k7q2 result=done"
#define CREATE .action = APW_AUDIT_CREATE, .actor = "cn=admin", .id = "k7q2", .is_done = true, .user

static const struct line_case {
    const char *name;
    struct apw_audit audit;
    const char *line;
} lines[] = {
    {"a change", {CREATE = "alice"}, START "\"alice\"" END},
    {"a change on the page that failed",
     {.action = APW_AUDIT_REVOKE,
      .actor = "alice",
      .user = "alice",
      .id = "k7q2",
      .client = "203.0.113.7",
      .error = "no such id"},
     "app-password: action=revoke actor=\"alice\" user=\"alice\" id=k7q2 result=failed "
     "client=203.0.113.7 error=\"no such id\""},
    {"everything stands in order",
     {.action = APW_AUDIT_MAIL,
      .actor = "a",
      .user = "u",
      .id = "k7q2",
      .details = "sent=1 failed=2",
      .client = "::1",
      .mail = "yearly",
      .dn = "d",
      .error = "e"},
     "app-password: action=mail actor=\"a\" user=\"u\" id=k7q2 result=failed sent=1 failed=2 "
     "client=::1 mail=yearly dn=\"d\" error=\"e\""},
    {"zeroed memory is a failure",
     {.actor = NULL},
     "app-password: action=create actor=- user=- id=- result=failed"},
    {"an empty name is not an unknown one",
     {.actor = "", .user = "", .client = "", .mail = "", .dn = "", .error = ""},
     "app-password: action=create actor=\"\" user=\"\" id=- result=failed"},
    {"an error with a change that was made is not logged",
     {CREATE = "alice", .error = "another server was down"},
     START "\"alice\"" END},
    {"a quotation mark and more keys",
     {CREATE = "x\" action=revoke result=failed \\"},
     START "\"x\\x22 action=revoke result=failed \\x5c\"" END},
    {"a second line about a login",
     {CREATE = "x\r\napp-password: verdict=refused reason=wrong-password"},
     START "\"x\\x0d\\x0aapp-password: verdict=refused reason=wrong-password\"" END},
    {"invalid UTF-8, and a change of direction",
     {CREATE = "Andr\xe9 \xe2\x80\xae"},
     START "\"Andr\\xe9 \\xe2\\x80\\xae\"" END},
    {"UTF-8 stays", {CREATE = "\xc3\xa9"}, START "\"\xc3\xa9\"" END},
    {"an app password instead of a login", {CREATE = UNIT_SHOWN}, START "\"(app password)\"" END},
    {"an error may repeat an app password",
     {.actor = "a", .user = UNIT_SHOWN, .error = "no such user: " UNIT_SHOWN},
     "app-password: action=create actor=\"a\" user=\"(app password)\" id=- result=failed"},
    {"an app password with a realm instead of an actor",
     {.actor = "K7Q2 9FJD X3MH 4TNZ P8WW@example.org", .user = "u"},
     "app-password: action=create actor=\"(app password)\" user=\"u\" id=- result=failed"},
    {"a hostile actor, dn and error",
     {.actor = "cn=\"x\n", .user = "u", .dn = "uid=\"\t", .error = "\" verdict=\"\n"},
     "app-password: action=create actor=\"cn=\\x22x\\x0a\" user=\"u\" id=- result=failed "
     "dn=\"uid=\\x22\\x09\" error=\"\\x22 verdict=\\x22\\x0a\""},
};

static void test_line(void **state)
{
    const struct line_case *row = *state;
    char line[APW_LINE_SIZE];

    apw_audit_format(&row->audit, line);
    assert_string_equal(line, row->line);
}

/* One whole line in the documented form, however long and whatever byte fills the fields. */
static void test_form(void **state)
{
    static const char form[] =
        "^app-password: action=[a-z-]+ actor=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\" "
        "user=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\" id=(-|[0-9a-z]{4}) result=(done|failed)"
        " sent=1 client=::1 mail=expiring"
        " dn=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\""
        " error=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\"$";
    regex_t pattern;

    (void)state;
    assert_int_equal(regcomp(&pattern, form, REG_EXTENDED | REG_NOSUB), 0);
    for (int byte = 1; byte < 256; byte++) {
        char line[APW_LINE_SIZE], *full = unit_repeat((char[]){(char)byte, '\0'}, 1000);
        const struct apw_audit audit = {.action = APW_AUDIT_MFA_OFF,
                                        .actor = full,
                                        .user = full,
                                        .details = "sent=1",
                                        .client = "::1",
                                        .mail = "expiring",
                                        .dn = full,
                                        .error = full};

        apw_audit_format(&audit, line);
        assert_int_equal(regexec(&pattern, line, 0, NULL, 0), 0);
        assert_true(apw_utf8_is_printable(line, strlen(line)));
        free(full);
    }
    regfree(&pattern);
}

static void test_names(void **state)
{
    (void)state;
    for (int action = 0; action < APW_AUDIT_ACTIONS; action++) {
        const char *name = apw_audit_action_name((enum apw_audit_action)action);

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        assert_string_not_equal(name, "kick");
        for (int other = 0; other < action; other++)
            assert_string_not_equal(name, apw_audit_action_name((enum apw_audit_action)other));
    }
}

static void test_syslog(void **state)
{
    const struct apw_config config = {.log_facility = LOG_LOCAL3};
    struct apw_audit audit = {CREATE = "100%s"};
    struct apw_error error;
    struct apw_log *log;

    (void)state;
    assert_int_equal(apw_log_open(&config, &log, &error), 0);
    memset(&caught, 0, sizeof caught);
    apw_log_audit(log, &audit);
    assert_int_equal(caught.priority, LOG_LOCAL3 | LOG_NOTICE);
    assert_string_equal(caught.text, START "\"100%s\"" END "|");
    audit.is_done = false;
    apw_log_audit(log, &audit);
    assert_int_equal(caught.priority, LOG_LOCAL3 | LOG_WARNING);
    apw_log_close(&log);
}

int main(void)
{
    UNIT_ROWS(lines, test_line);
    UNIT_TEST("every line is whole and has the promised form", test_form);
    UNIT_TEST("every action has a name of its own", test_names);
    UNIT_TEST("a change is a notice in syslog, a failure a warning", test_syslog);
    return unit_run();
}
