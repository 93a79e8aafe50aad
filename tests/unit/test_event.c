/* SPDX-License-Identifier: BSD-2-Clause */
/* The log line, which fail2ban reads, and where it goes. */
#include "event.h"
#include "log.h"
#include "syslog_catcher.h"
#include "unit.h"
#include "utf8.h"
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>

#define BYTES(text) .user = text, .user_length = sizeof text - 1
#define START       "app-password: verdict=refused reason=malformed user="
#define END         " service=- client=- id=-"

/* ---- the line ---- */

static const struct line_case {
    const char *name;
    struct apw_event event;
    const char *line;
} lines[] = {
    {"an app password that is accepted",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_APP_PASSWORD,
      BYTES("alice"),
      .service = "smtp",
      .client = "203.0.113.7",
      .id = "k7q2"},
     "app-password: verdict=accepted reason=app-password user=\"alice\" service=smtp "
     "client=203.0.113.7 id=k7q2"},
    {"an account password that is refused",
     {.verdict = APW_REFUSED,
      .reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA,
      BYTES("alice"),
      .service = "smtp",
      .client = "203.0.113.7"},
     "app-password: verdict=refused reason=account-password-with-mfa user=\"alice\" service=smtp "
     "client=203.0.113.7 id=-"},
    {"a directory that does not answer",
     {.verdict = APW_UNAVAILABLE,
      .reason = APW_REASON_DIRECTORY_UNAVAILABLE,
      BYTES("alice@example.org"),
      .service = "imap",
      .client = "2001:db8::1",
      .detail = {"ldapi:///: connect: No such file or directory"}},
     "app-password: verdict=unavailable reason=directory-unavailable user=\"alice@example.org\" "
     "service=imap client=2001:db8::1 id=- error=\"ldapi:///: connect: No such file or "
     "directory\""},
    {"zeroed memory is a refusal",
     {.verdict = 0},
     "app-password: verdict=refused reason=internal-error user=\"\"" END},
    {"an account password that would be refused",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_ACCOUNT_PASSWORD,
      BYTES("alice"),
      .would_refuse = true},
     "app-password: verdict=accepted reason=account-password user=\"alice\"" END
     " would-refuse=account-password-with-mfa"},
    {"an account password that was sent before",
     {.reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA, BYTES("alice"), .repeat = APW_REPEAT_YES},
     "app-password: verdict=refused reason=account-password-with-mfa user=\"alice\"" END
     " repeat=yes"},
    {"an account password that is not the one sent before",
     {.reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA, BYTES("alice"), .repeat = APW_REPEAT_NO},
     "app-password: verdict=refused reason=account-password-with-mfa user=\"alice\"" END
     " repeat=no"},
    {"an account password from an exempt network",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_ACCOUNT_PASSWORD,
      BYTES("alice"),
      .is_exempt = true},
     "app-password: verdict=accepted reason=account-password user=\"alice\"" END " exempt=network"},
    {"an unusable value with its entry and error",
     {.verdict = APW_REFUSED,
      .reason = APW_REASON_UNUSABLE_VALUE,
      BYTES("alice"),
      .id = "k7q2",
      .dn = (char *)"uid=alice,dc=example,dc=org",
      .detail = {"2 values have the id k7q2"}},
     "app-password: verdict=refused reason=unusable-value user=\"alice\" service=- client=- "
     "id=k7q2 dn=\"uid=alice,dc=example,dc=org\" error=\"2 values have the id k7q2\""},
    {"everything that may stand behind stands in order",
     {.verdict = APW_REFUSED,
      .reason = APW_REASON_MALFORMED,
      .repeat = APW_REPEAT_NO,
      .action = "use-invitation",
      .invitation = "k7q2",
      .would_refuse = true,
      .is_exempt = true,
      .dn = (char *)"d",
      .detail = {"e"}},
     START "\"\"" END " repeat=no action=use-invitation invitation=k7q2 "
           "would-refuse=account-password-with-mfa exempt=network dn=\"d\" error=\"e\""},
    {"an accepted name other than what was typed stands behind",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_APP_PASSWORD,
      BYTES("Alice@Example.org"),
      .name = "alice",
      .session = "W4k+Qz/x"},
     "app-password: verdict=accepted reason=app-password user=\"Alice@Example.org\"" END
     " name=\"alice\" session=W4k+Qz/x"},
    {"an accepted name as typed is not repeated",
     {.verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD, BYTES("alice"), .name = "alice"},
     "app-password: verdict=accepted reason=app-password user=\"alice\"" END},
    {"a name that was not accepted is not logged",
     {.reason = APW_REASON_MALFORMED, BYTES("al"), .name = "alice", .session = "s1"},
     START "\"al\"" END " session=s1"},
    {"an accepted name is quoted",
     {.verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD, BYTES("x"), .name = "a\"b\n"},
     "app-password: verdict=accepted reason=app-password user=\"x\"" END " name=\"a\\x22b\\x0a\""},
    {"an error with an accepted login is not logged",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_APP_PASSWORD,
      BYTES("alice"),
      .detail = {"another server was down"}},
     "app-password: verdict=accepted reason=app-password user=\"alice\"" END},
    {"a quote, a backslash and a line end in dn and error",
     {.verdict = APW_REFUSED,
      .reason = APW_REASON_MALFORMED,
      .dn = (char *)"cn=\"a\\b\"\n",
      .detail = {"\"x\"\r\n\\"}},
     START "\"\"" END " dn=\"cn=\\x22a\\x5cb\\x22\\x0a\" error=\"\\x22x\\x22\\x0d\\x0a\\x5c\""},

    {"the help desk stands behind everything else",
     {.verdict = APW_ACCEPTED,
      .reason = APW_REASON_DONE,
      BYTES("alice"),
      .id = "k7q2",
      .session = "s1",
      .action = "help-revoke",
      .actor = "bob"},
     "app-password: verdict=accepted reason=done user=\"alice\" service=- client=- id=k7q2 "
     "action=help-revoke session=s1 actor=\"bob\""},
    {"a failure of the help desk has its error before the name",
     {.verdict = APW_UNAVAILABLE,
      .reason = APW_REASON_NOT_DONE,
      BYTES("alice"),
      .action = "help-reset",
      .actor = "bob",
      .detail = {"e"}},
     "app-password: verdict=unavailable reason=not-done user=\"alice\"" END
     " action=help-reset error=\"e\" actor=\"bob\""},
    {"a hostile name of the help desk cannot end its field or the line",
     {.reason = APW_REASON_NOT_DONE,
      BYTES("alice"),
      .action = "help-revoke",
      .actor = "b\" user=\"x\\\nc\xff"},
     "app-password: verdict=refused reason=not-done user=\"alice\"" END
     " action=help-revoke actor=\"b\\x22 user=\\x22x\\x5c\\x0ac\\xff\""},
    {"an app password as the name of the help desk is not logged",
     {.reason = APW_REASON_NOT_DONE, BYTES("alice"), .action = "help-revoke", .actor = UNIT_SHOWN},
     "app-password: verdict=refused reason=not-done user=\"alice\"" END
     " action=help-revoke actor=\"(app password)\""},
    {"an empty name of the help desk",
     {.reason = APW_REASON_NOT_DONE, BYTES("alice"), .action = "help-revoke", .actor = ""},
     "app-password: verdict=refused reason=not-done user=\"alice\"" END
     " action=help-revoke actor=\"\""},

    {"a name with spaces",
     {.reason = APW_REASON_MALFORMED, BYTES("alice smith")},
     START "\"alice smith\"" END},
    {"a quote", {.reason = APW_REASON_MALFORMED, BYTES("a\"b")}, START "\"a\\x22b\"" END},
    {"a backslash", {.reason = APW_REASON_MALFORMED, BYTES("a\\b")}, START "\"a\\x5cb\"" END},
    {"a backslash before a quote",
     {.reason = APW_REASON_MALFORMED, BYTES("\\\"")},
     START "\"\\x5c\\x22\"" END},
    {"what looks escaped already",
     {.reason = APW_REASON_MALFORMED, BYTES("\\x41")},
     START "\"\\x5cx41\"" END},
    {"a line end", {.reason = APW_REASON_MALFORMED, BYTES("a\nb\r")}, START "\"a\\x0ab\\x0d\"" END},
    {"a tab and an escape",
     {.reason = APW_REASON_MALFORMED, BYTES("\t\x1b[31m")},
     START "\"\\x09\\x1b[31m\"" END},
    {"a NUL", {.reason = APW_REASON_MALFORMED, BYTES("a\0b")}, START "\"a\\x00b\"" END},
    {"0x1f and 0x7f",
     {.reason = APW_REASON_MALFORMED, BYTES("\x1f\x7f")},
     START "\"\\x1f\\x7f\"" END},
    {"UTF-8 stays",
     {.reason = APW_REASON_MALFORMED, BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
     START "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" END},
    {"a C1 control character",
     {.reason = APW_REASON_MALFORMED, BYTES("\xc2\x85")},
     START "\"\\xc2\\x85\"" END},
    {"Latin-1", {.reason = APW_REASON_MALFORMED, BYTES("Andr\xe9 x")}, START "\"Andr\\xe9 x\"" END},
    {"a lone continuation byte",
     {.reason = APW_REASON_MALFORMED, BYTES("\x80")},
     START "\"\\x80\"" END},
    {"an overlong quote",
     {.reason = APW_REASON_MALFORMED, BYTES("\xc0\xa2")},
     START "\"\\xc0\\xa2\"" END},
    {"a surrogate",
     {.reason = APW_REASON_MALFORMED, BYTES("\xed\xa0\x80")},
     START "\"\\xed\\xa0\\x80\"" END},
    {"a quote after a cut character",
     {.reason = APW_REASON_MALFORMED, BYTES("\xe2\x82\"")},
     START "\"\\xe2\\x82\\x22\"" END},
    {"a character cut at the end",
     {.reason = APW_REASON_MALFORMED, BYTES("a\xf0\x9f\x98")},
     START "\"a\\xf0\\x9f\\x98\"" END},

    {"an app password in the wrong field",
     {.reason = APW_REASON_MALFORMED, BYTES(UNIT_SHOWN)},
     START "\"(app password)\"" END},
    {"an app password with a realm",
     {.reason = APW_REASON_MALFORMED, BYTES("K7Q2 9FJD X3MH 4TNZ P8WW@example.org")},
     START "\"(app password)\"" END},
    {"what is only like an app password",
     {.reason = APW_REASON_MALFORMED, BYTES("k7q2-9fjd-x3mh-4tnz-p8wx")},
     START "\"k7q2-9fjd-x3mh-4tnz-p8wx\"" END},
    {"a user named like a log line cannot forge one",
     {.reason = APW_REASON_MALFORMED,
      BYTES("x\" service=smtp client=192.0.2.1 id=-\napp-password: verdict=accepted")},
     START "\"x\\x22 service=smtp client=192.0.2.1 id=-\\x0aapp-password: verdict=accepted\"" END},
};

static void test_line(void **state)
{
    const struct line_case *row = *state;
    char line[APW_EVENT_SIZE];

    apw_event_format(&row->event, line);
    assert_string_equal(line, row->line);
}

/* Fills every field with the byte. */
static struct apw_event make_full_event(char byte, char dn[300])
{
    struct apw_event event = {.verdict = APW_UNAVAILABLE,
                              .reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA,
                              .user_length = APW_LOGIN_BYTES_MAX,
                              .repeat = APW_REPEAT_YES,
                              .would_refuse = true,
                              .is_exempt = true,
                              .dn = dn};

    memset(dn, byte, 299);
    dn[299] = '\0';
    memset(event.user, byte, APW_LOGIN_BYTES_MAX);
    memset(event.service, 'x', sizeof event.service - 1);
    memset(event.client, 'x', sizeof event.client - 1);
    memset(event.id, 'x', sizeof event.id - 1);
    memset(event.detail.text, byte, sizeof event.detail.text - 1);
    return event;
}

static size_t count_of(const char *line, const char *part)
{
    size_t count = 0;

    for (; (line = strstr(line, part)) != NULL; line += strlen(part))
        count++;
    return count;
}

static void test_longest_line(void **state)
{
    char line[APW_EVENT_SIZE], dn[300];
    struct apw_event event = make_full_event('\\', dn);

    (void)state;
    apw_event_format(&event, line);
    assert_int_equal(count_of(line, "\""), 6);
    assert_int_equal(line[strlen(line) - 1], '"');
    assert_int_equal(count_of(line, "\\x5c"), 255 + 255 + sizeof event.detail.text - 1);
}

/* One line in the documented form, whatever byte fills the fields. */
static void test_form(void **state)
{
    static const char form[] =
        "^app-password: verdict=(accepted|refused|unavailable) reason=[a-z-]+ "
        "user=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\" service=[a-z0-9-]+ client=[0-9a-fx.:-]+ "
        "id=[0-9a-z-]+( repeat=(yes|no))?( would-refuse=account-password-with-mfa)?( "
        "exempt=network)?"
        "( dn=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\")?"
        "( error=\"([^\"\\\\]|\\\\x[0-9a-f][0-9a-f])*\")?$";
    regex_t pattern;

    (void)state;
    assert_int_equal(regcomp(&pattern, form, REG_EXTENDED | REG_NOSUB), 0);
    for (int byte = 1; byte < 256; byte++) {
        char line[APW_EVENT_SIZE], dn[300];
        struct apw_event event = make_full_event((char)byte, dn);

        apw_event_format(&event, line);
        assert_int_equal(regexec(&pattern, line, 0, NULL, 0), 0);
        assert_int_equal(strcspn(line, "\001\002\n\r\t\033\177"), strlen(line));
        assert_true(apw_utf8_is_printable(line, strlen(line)));
    }
    regfree(&pattern);
}

static void test_cut_user(void **state)
{
    struct apw_event event = {.reason = APW_REASON_MALFORMED, .user_length = APW_LOGIN_BYTES_MAX};
    char line[APW_EVENT_SIZE], expected[APW_EVENT_SIZE];
    char *user = unit_repeat("a", APW_LOGIN_BYTES_MAX);

    (void)state;
    memcpy(event.user, user, APW_LOGIN_BYTES_MAX);
    apw_event_format(&event, line);
    snprintf(expected, sizeof expected, START "\"%s\"" END, user);
    assert_string_equal(line, expected);
    event.user[APW_LOGIN_BYTES_MAX - 1] = '\xc3'; /* its second byte was cut off */
    apw_event_format(&event, line);
    snprintf(expected, sizeof expected, START "\"%.254s\\xc3\"" END, user);
    assert_string_equal(line, expected);
    free(user);
}

static void test_names(void **state)
{
    (void)state;
    for (int reason = 0; reason <= APW_REASON_PASSWORD_MUST_CHANGE; reason++) {
        const char *name = apw_reason_name((enum apw_reason)reason);

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int other = 0; other < reason; other++)
            assert_string_not_equal(name, apw_reason_name((enum apw_reason)other));
    }
    assert_string_equal(apw_verdict_name(APW_REFUSED), "refused");
    assert_string_equal(apw_verdict_name(APW_ACCEPTED), "accepted");
    assert_string_equal(apw_verdict_name(APW_UNAVAILABLE), "unavailable");
}

/* ---- where it goes ---- */

static const struct syslog_case {
    const char *name;
    enum apw_verdict verdict;
    int priority;
} priorities[] = {
    {"an accepted login is information", APW_ACCEPTED, LOG_INFO},
    {"a refused login is a notice", APW_REFUSED, LOG_NOTICE},
    {"an unavailable login is an error", APW_UNAVAILABLE, LOG_ERR},
};

static struct apw_log *open_log(const struct apw_config *config)
{
    struct apw_error error = {""};
    struct apw_log *log;

    assert_int_equal(apw_log_open(config, &log, &error), 0);
    memset(&caught, 0, sizeof caught);
    return log;
}

static void test_syslog(void **state)
{
    const struct apw_config config = {.log_facility = LOG_LOCAL3};
    const struct syslog_case *row = *state;
    const struct apw_event event = {.verdict = row->verdict, BYTES("100%s"), .service = "smtp"};
    char line[APW_EVENT_SIZE + 1];
    struct apw_log *log = open_log(&config);

    apw_log_event(log, &event);
    assert_int_equal(caught.count, 1);
    assert_int_equal(caught.priority, LOG_LOCAL3 | row->priority);
    apw_event_format(&event, line);
    strcat(line, "|");
    assert_string_equal(caught.text, line);
    apw_log_close(&log);
    assert_null(log);
}

static void test_syslog_by_default(void **state)
{
    const struct apw_event event = {.verdict = APW_REFUSED};
    struct apw_log *log = open_log(NULL);

    (void)state;
    apw_log_event(log, &event);
    assert_int_equal(caught.priority, LOG_MAIL | LOG_NOTICE);
    apw_log_close(&log);
    apw_log_close(&log);
}

static const char *read_file(const char *path)
{
    static char text[2 * APW_EVENT_SIZE];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

#define STAMP "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z "

static void assert_matches(const char *text, const char *form)
{
    regex_t pattern;

    assert_int_equal(regcomp(&pattern, form, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&pattern, text, 0, NULL, 0) != 0)
        fail_msg("\"%s\" is not like \"%s\"", text, form);
    regfree(&pattern);
}

static void test_file(void **state)
{
    char path[UNIT_PATH_SIZE];
    struct apw_config config = {.log_file = (char *)unit_path("log", path)};
    const struct apw_event first = {.reason = APW_REASON_EXPIRED, BYTES("alice")},
                           second = {.reason = APW_REASON_UNKNOWN_USER, BYTES("bob\n")};
    struct apw_log *log;
    struct stat status;

    (void)state;
    unit_write(path, "before\n", 7);
    log = open_log(&config);
    apw_log_event(log, &first);
    apw_log_event(log, &second);
    assert_matches(read_file(path),
                   "^before\n" STAMP
                   "app-password: verdict=refused reason=expired user=\"alice\"" END "\n" STAMP
                   "app-password: verdict=refused reason=unknown-user user=\"bob.x0a\"" END "\n$");
    apw_log_close(&log);
    unlink(path);
    log = open_log(&config);
    assert_int_equal(stat(path, &status), 0); /* opened at once, before chroot() */
    assert_int_equal(status.st_mode & 0137, 0);
    apw_log_event(log, &first);
    apw_log_close(&log);
    assert_matches(read_file(path), "^" STAMP "app-password: .*reason=expired .*\n$");
    assert_int_equal(caught.count, 0);
}

static void test_longest_line_in_file(void **state)
{
    char path[UNIT_PATH_SIZE], dn[300];
    struct apw_config config = {.log_file = (char *)unit_path("long", path)};
    struct apw_event event = make_full_event('\\', dn);
    struct apw_log *log = open_log(&config);

    (void)state;
    apw_log_event(log, &event);
    assert_matches(read_file(path), "^" STAMP "app-password: [^\n]*\\\\x5c\"\n$");
    apw_log_close(&log);
}

static void test_unwritable(void **state)
{
    char path[UNIT_PATH_SIZE], expected[UNIT_PATH_SIZE + 64];
    struct apw_config config = {.log_file = (char *)unit_path("none/log", path)};
    struct apw_error error = {""};
    struct apw_log *log;

    (void)state;
    assert_int_equal(apw_log_open(&config, &log, &error), -1);
    assert_null(log);
    snprintf(expected, sizeof expected, "log %s: No such file or directory", path);
    assert_string_equal(error.text, expected);
    path[strlen(path) - strlen("none/log")] = '\0';
    assert_int_equal(apw_log_open(&config, &log, &error), -1);
    assert_contains(error.text, "Is a directory");
}

static void test_full_disk(void **state)
{
    struct apw_config config = {.log_file = (char *)"/dev/full", .log_facility = LOG_AUTH};
    const struct apw_event event = {
        .verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD, BYTES("alice")};
    struct apw_log *log;

    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("no /dev/full here\n");
        return;
    }
    log = open_log(&config);
    apw_log_event(log, &event);
    assert_int_equal(caught.count, 2);
    assert_int_equal(caught.priority, LOG_AUTH | LOG_INFO);
    assert_string_equal(
        caught.text, "app-password: cannot write /dev/full: No space left on device|"
                     "app-password: verdict=accepted reason=app-password user=\"alice\"" END "|");
    apw_log_close(&log);
}

/* The disk accepts half a line, then nothing, then has room again. */
static void test_torn_line(void **state)
{
    char path[UNIT_PATH_SIZE], text[2048];
    struct apw_config config = {.log_file = (char *)unit_path("torn", path)};
    const struct apw_event event = {
        .verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD, BYTES("alice")};
    struct apw_log *log = open_log(&config);
    struct rlimit limit;
    struct stat status;
    size_t length;
    FILE *file;

    (void)state;
    apw_log_event(log, &event);
    assert_int_equal(stat(path, &status), 0);
    length = (size_t)status.st_size;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){length + length / 2, limit.rlim_max});
    caught.count = 0;
    apw_log_event(log, &event);
    apw_log_event(log, &event);
    assert_int_equal(caught.count, 4); /* each of them, and why */
    setrlimit(RLIMIT_FSIZE, &limit);
    apw_log_event(log, &event);
    apw_log_event(log, &event);
    assert_int_equal(caught.count, 4);
    apw_log_close(&log);
    file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    /* whole, half, whole, whole */
    assert_int_equal(strlen(text), 3 * length + length / 2 + 1);
    assert_int_equal(text[length + length / 2], '\n');
    assert_memory_equal(text + length + length / 2 + 1 + sizeof "2026-11-26T17:00:00Z",
                        text + sizeof "2026-11-26T17:00:00Z",
                        length - sizeof "2026-11-26T17:00:00Z");
}

static const struct session_case {
    const char *name, *session, *expected;
} sessions[] = {
    {"a session of Dovecot", "Lr9zXuUvRLx/AAAB", "Lr9zXuUvRLx/AAAB"},
    {"no session", "", ""},
    {"64 characters", "0123456789012345678901234567890123456789012345678901234567890123",
     "0123456789012345678901234567890123456789012345678901234567890123"},
    {"65 characters", "01234567890123456789012345678901234567890123456789012345678901234", ""},
    {"a space could add a key", "a verdict=accepted", ""},
    {"a quotation mark", "a\"", ""},
    {"a backslash", "a\\", ""},
    {"a line end", "a\n", ""},
    {"beyond ASCII", "\xc3\xa5", ""},
};

static void test_session(void **state)
{
    const struct session_case *row = *state;
    struct apw_event event = {.session = "before"};

    apw_event_set_session(&event, row->session);
    assert_string_equal(event.session, row->expected);
}

/* It must not look like a line about a login, whatever the user's name. */
static void test_kick(void **state)
{
    const struct apw_event event = {.reason = APW_REASON_REVOKED,
                                    .user = "al\"ice verdict=",
                                    .user_length = 15,
                                    .service = "imap",
                                    .client = "192.0.2.7",
                                    .id = "k7q2"};
    char line[APW_EVENT_SIZE];

    (void)state;
    apw_event_format_kick(&event, line);
    assert_string_equal(line, "app-password: action=kick reason=revoked "
                              "user=\"al\\x22ice verdict=\" service=imap client=192.0.2.7 id=k7q2");
}

int main(void)
{
    UNIT_ROWS(sessions, test_session);
    UNIT_ROWS(lines, test_line);
    UNIT_TEST("the longest line is whole", test_longest_line);
    UNIT_TEST("every line has the promised form", test_form);
    UNIT_TEST("a user is cut at 255 bytes", test_cut_user);
    UNIT_TEST("every reason has a name of its own", test_names);
    UNIT_ROWS(priorities, test_syslog);
    UNIT_TEST("without a configuration it is syslog's mail", test_syslog_by_default);
    UNIT_TEST("a file has one line per login, with the time, appended", test_file);
    UNIT_TEST("the longest line is whole in a file", test_longest_line_in_file);
    UNIT_TEST("an unwritable file is an error that names it", test_unwritable);
    UNIT_TEST("a full disk sends the line to syslog", test_full_disk);
    UNIT_TEST("after half a line a new one begins", test_torn_line);
    UNIT_TEST("a session that was ended", test_kick);
    return unit_run();
}
