/* SPDX-License-Identifier: BSD-2-Clause */
/* What front ends share: a configuration that may be broken, the decision, the log, the delay. */
#include "clock.h"
#include "front.h"
#include "responder.h"
#include "syslog_catcher.h"
#include "unit.h"

static char conf_path[UNIT_PATH_SIZE], log_path[UNIT_PATH_SIZE];

/* A configuration for the first server, with `more` behind it. */
static void write_config(const char *more)
{
    char text[4 * UNIT_PATH_SIZE], password_path[UNIT_PATH_SIZE];

    unit_write(unit_path("password", password_path), "secret\n", 7);
    snprintf(text, sizeof text,
             "uri %s\nbase dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\n"
             "bindpw_file %s\n%s\n",
             responder_uri(0), password_path, more);
    unit_write(conf_path, text, strlen(text));
}

static const struct apw_attempt attempt = {.login = "alice",
                                           .login_length = 5,
                                           .password = UNIT_SHOWN,
                                           .password_length = sizeof UNIT_SHOWN - 1,
                                           .service = "submission",
                                           .client = "203.0.113.7"};
static const struct apw_attempt malformed = {
    .login = " ", .login_length = 1, .password = "x", .password_length = 1};

static const char *const with_app_password[] = {"appPassword",
                                                "id=k7q2 created=20261101000000Z services=smtp "
                                                "hash={ARGON2}" UNIT_PHC " label=Laptop",
                                                NULL};
static const char *const without_app_password[] = {NULL};

/* The entry, whatever is searched for; every bind succeeds. */
static bool answer(const struct request *request)
{
    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE, 0, NULL, NULL);
    responder_entry(request, "uid=alice,dc=example,dc=org", request->row);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static void read_log(char text_r[2048])
{
    FILE *file = fopen(log_path, "re");

    assert_non_null(file);
    text_r[fread(text_r, 1, 2047, file)] = '\0';
    fclose(file);
}

static void test_accepted(void **state)
{
    char more[UNIT_PATH_SIZE + 8], text[2048];
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;

    (void)state;
    responder_expect(answer, with_app_password);
    snprintf(more, sizeof more, "log %s", log_path);
    write_config(more);
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    assert_string_equal(error.text, "");
    apw_front_verify(front, &attempt, true, &decision);
    assert_int_equal(decision.event.verdict, APW_ACCEPTED);
    assert_string_equal(decision.event.name, "alice");
    apw_verify_clear(&decision);
    apw_front_close(&front);
    assert_null(front);
    read_log(text);
    assert_contains(text, "Z app-password: verdict=accepted reason=app-password user=\"alice\" "
                          "service=smtp client=203.0.113.7 id=k7q2\n");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* By the user's own bind, after the search that finds MFA off. */
static void test_account_password(void **state)
{
    const struct apw_attempt with_account_password = {
        .login = "alice", .login_length = 5, .password = "correct horse", .password_length = 13};
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;

    (void)state;
    responder_expect(answer, without_app_password);
    write_config("");
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    apw_front_verify(front, &with_account_password, true, &decision);
    assert_int_equal(decision.event.verdict, APW_ACCEPTED);
    assert_int_equal(decision.event.reason, APW_REASON_ACCOUNT_PASSWORD);
    assert_int_equal(responder_seen().searches, 2);
    assert_int_equal(responder_seen().binds, 2); /* the service's and the user's */
    assert_int_equal(responder_seen().connections[0], 2);
    apw_verify_clear(&decision);
    apw_front_close(&front);
}

static const struct broken_case {
    const char *name;
    const char *more;
    const char *error;
} broken_cases[] = {
    {"an unknown key", "colour red", ":5: unknown key \"colour\""},
    {"a log that cannot be opened", "log /nonexistent/log", "log /nonexistent/log: No such file"},
    {"CA certificates that are not there", "tls_cacert /nonexistent/ca.pem",
     ":5: tls_cacert: /nonexistent/ca.pem: No such file"},
};

static void test_broken(void **state)
{
    const struct broken_case *row = *state;
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;

    responder_expect(answer, with_app_password);
    write_config(row->more);
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    assert_contains(error.text, row->error);
    memset(&caught, 0, sizeof caught);
    apw_front_verify(front, &attempt, true, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    assert_int_equal(decision.event.reason, APW_REASON_CONFIGURATION);
    assert_string_equal(decision.event.detail.text, error.text);
    assert_true(decision.event.name[0] == '\0');
    apw_verify_clear(&decision);
    assert_contains(caught.text, "verdict=unavailable reason=configuration user=\"alice\"");
    apw_front_verify(front, &malformed, false, &decision);
    assert_int_equal(decision.event.verdict, APW_REFUSED);
    apw_verify_clear(&decision);
    assert_int_equal(caught.count, 2);
    assert_int_equal(responder_seen().connections[0], 0);
    apw_front_close(&front);
}

/* Wrong lines before and behind that of the log, and a secret that cannot be read: test programs
 * run as root, so it is a folder. */
static const struct logged_case {
    const char *name;
    const char *before; /* the log's path */
    const char *behind;
    const char *error;
} logged_cases[] = {
    {"a secret that cannot be read is logged",
     "uri ldapi:///\nbase dc=x\nbinddn cn=x\nbindpw_file /\nlog ", "\n", ":4: bindpw_file: "},
    {"a missing secret is logged", "log ",
     "\nuri ldapi:///\nbase dc=x\nbinddn cn=x\nbindpw_file /nonexistent/secret\n",
     ":5: bindpw_file: /nonexistent/secret: No such file"},
    {"an unknown key is logged", "colour red\n\tlog\t ", " \n", ":1: unknown key"},
    {"a missing uri is logged", "logs x\nlog ", "", ":1: unknown key \"logs\""},
    {"a second log is told in the first", "log ", "\nlog syslog mail\n",
     ":2: \"log\" is already set"},
};

static void test_broken_logged(void **state)
{
    const struct logged_case *row = *state;
    char conf[4 * UNIT_PATH_SIZE], text[2048];
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;

    unlink(log_path);
    snprintf(conf, sizeof conf, "%s%s%s", row->before, log_path, row->behind);
    unit_write(conf_path, conf, strlen(conf));
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    assert_contains(error.text, row->error);
    memset(&caught, 0, sizeof caught);
    apw_front_verify(front, &attempt, true, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    apw_verify_clear(&decision);
    apw_front_close(&front);
    assert_int_equal(caught.count, 0);
    read_log(text);
    assert_contains(text, "Z app-password: verdict=unavailable reason=configuration "
                          "user=\"alice\" service=smtp client=203.0.113.7 id=- error=\"");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    unlink(log_path);
}

static void test_missing(void **state)
{
    char path[UNIT_PATH_SIZE];
    struct apw_decision decision;
    struct apw_front *front;
    struct apw_error error;

    (void)state;
    assert_int_equal(apw_front_open(unit_path("none.conf", path), &front, &error), 0);
    assert_contains(error.text, "none.conf: No such file");
    assert_int_equal(apw_front_refusal_delay_ms(front), 1000);
    apw_front_verify(front, &attempt, true, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    apw_verify_clear(&decision);
    apw_front_close(&front);
    apw_front_close(&front);
}

/* How long one login takes. */
static int64_t time_login(struct apw_front *front, const struct apw_attempt *login, bool wait,
                          enum apw_verdict verdict)
{
    int64_t start = apw_clock_monotonic_ms();
    struct apw_decision decision;

    apw_front_verify(front, login, wait, &decision);
    assert_int_equal(decision.event.verdict, verdict);
    apw_verify_clear(&decision);
    return apw_clock_monotonic_ms() - start;
}

static void test_delay(void **state)
{
    struct apw_front *front;
    struct apw_error error;

    (void)state;
    responder_expect(answer, with_app_password);
    write_config("refusal_delay 2");
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    assert_int_equal(apw_front_refusal_delay_ms(front), 2000);
    assert_true(time_login(front, &malformed, true, APW_REFUSED) >= 2000);
    apw_front_close(&front);
    write_config("refusal_delay 60");
    assert_int_equal(apw_front_open(conf_path, &front, &error), 0);
    assert_true(time_login(front, &malformed, false, APW_REFUSED) < 30000);
    assert_true(time_login(front, &attempt, true, APW_ACCEPTED) < 30000);
    apw_front_close(&front);
}

int main(void)
{
    unit_path("app-password.conf", conf_path);
    unit_path("log", log_path);
    UNIT_TEST("a login is decided and logged once", test_accepted);
    UNIT_TEST("an account password is tried on the connection for binds", test_account_password);
    UNIT_ROWS(broken_cases, test_broken);
    UNIT_ROWS(logged_cases, test_broken_logged);
    UNIT_TEST("a missing configuration is an outage", test_missing);
    UNIT_TEST("a refusal takes its time, nothing else does", test_delay);
    return responder_unit_run();
}
