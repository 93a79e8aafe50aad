/* SPDX-License-Identifier: BSD-2-Clause */
/* The second factor at sign-in: wrong tries, waiting and codes by mail, without a directory. */
#include "challenge.h"
#include "clock.h"
#include "guesses.h"
#include "unit.h"
#include <liboath/oath.h>
#include <sodium.h>

#define HOME  "192.0.2.1"
#define WRONG "x" /* whatever the code is, this is not it */

static struct apw_portal_config portal_config = {.site = (char *)"mail.example.org",
                                                 .root = (char *)"/root"};
static struct apw_config config;
static void warn(void *context, const char *why);
static struct apw_portal portal = {
    .portal_config = &portal_config, .config = &config, .site = {.root = "/root", .warn = warn}};
static struct apw_user user = {
    .dn = (char *)"uid=alice", .name = (char *)"alice", .unique_id = (char *)"entry"};
static char log_path[UNIT_PATH_SIZE], cookie[APW_COOKIE_SIZE];
static struct apw_form *sent;

/* The entry's guesses, instead of a directory. */
static struct apw_guesses kept;
static enum apw_manage_result stored;

enum apw_manage_result __wrap_apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                                 apw_guesses_change change, void *context,
                                                 struct apw_error *error);

enum apw_manage_result __wrap_apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                                 apw_guesses_change change, void *context,
                                                 struct apw_error *error)
{
    (void)manager, (void)error;
    assert_string_equal(dn, user.dn);
    if (stored != APW_MANAGE_DONE)
        return stored;
    return change(&kept, context) ? APW_MANAGE_DONE : APW_MANAGE_UNCHANGED;
}

/* A user with a second factor signs in with the account password. */
static struct apw_visitor *sign_in(enum apw_method_kind kind, struct apw_request *request,
                                   struct apw_exchange *exchange)
{
    struct apw_web_session *session;
    struct apw_error error = {""};

    unlink(log_path);
    kept = (struct apw_guesses){.day = 20000};
    stored = APW_MANAGE_DONE;
    config.log_file = log_path;
    assert_int_equal(apw_log_open(&config, &portal.log, &error), 0);
    assert_int_equal(apw_web_sessions_new(&apw_visitor_content, &portal.site.sessions, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.factor_throttle, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.account_throttle, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.browser_throttle, &error), 0);
    memset(exchange, 0, sizeof *exchange);
    session = apw_web_session_begin(
        portal.site.sessions, &(struct apw_web_session_asker){.owner = user.dn, .network = "-"}, 0,
        cookie);
    assert_non_null(session);
    strcpy(exchange->cookie, cookie);
    strcpy(((struct apw_visitor *)session->content)->login, "alice");
    apw_request_begin(request, &portal, exchange, session);
    request->account = (struct apw_account){
        .user = &user, .has_mfa = true, .has_method = true, .method = {.kind = kind}};
    assert_int_equal(apw_form_begin(&apw_form_fields, &exchange->form), 0);
    sent = &exchange->form;
    return request->visitor;
}

/* Somebody sends that code. */
static void type_code(struct apw_exchange *exchange, const char *code)
{
    apw_form_free(&exchange->form);
    assert_int_equal(apw_form_begin(&apw_form_fields, &exchange->form), 0);
    apw_form_take(&exchange->form, "code", code, 0, strlen(code));
    assert_false(exchange->form.is_bad);
}

static void sign_out(void)
{
    apw_form_free(sent);
    apw_throttle_free(&portal.factor_throttle);
    apw_throttle_free(&portal.account_throttle);
    apw_throttle_free(&portal.browser_throttle);
    apw_web_sessions_free(&portal.site.sessions);
    apw_log_close(&portal.log);
}

/* For error pages. */
static void load_texts(void)
{
    struct apw_error error = {""};
    char folder[UNIT_PATH_SIZE];

    assert_int_equal(apw_languages_load("/nonexistent", "none", &portal.site.languages, &error), 0);
    assert_int_equal(apw_texts_load(&portal.site.languages, apw_wording, APW_TEXT_COUNT,
                                    &portal.site.texts, &error),
                     0);
    /* Without templates: only the log line matters here. */
    assert_int_equal(apw_templates_load(unit_path("", folder), &portal.site.languages,
                                        &portal.site.templates, &error),
                     0);
}

static void free_texts(void)
{
    apw_templates_free(&portal.site.templates);
    apw_texts_free(&portal.site.texts);
    apw_languages_free(&portal.site.languages);
}

/* Sends the form with that code from there; returns the message. */
static enum apw_text try_code(struct apw_request *request, const char *code, const char *client)
{
    struct apw_exchange *exchange = request->exchange;

    type_code(exchange, code);
    snprintf(exchange->client, sizeof exchange->client, "%s", client);
    request->session->flash = APW_TEXT_NONE;
    apw_challenge_verify(request);
    assert_int_equal(exchange->status, 303);
    assert_string_equal(exchange->location, "/root/");
    return request->session->flash;
}

/* Wrong tries from different networks. */
static void try_from_everywhere(struct apw_request *request, int count)
{
    char client[32];

    for (int i = 0; i < count; i++) {
        snprintf(client, sizeof client, "198.51.100.%d", i);
        assert_int_equal(try_code(request, WRONG, client), APW_TEXT_WRONG_CODE);
    }
}

static void send_code(struct apw_visitor *visitor, const char *code, int64_t seconds)
{
    strcpy(visitor->mail.code, code);
    visitor->mail.tries_left = 5;
    visitor->mail.until_ms = apw_clock_monotonic_ms() + seconds * 1000;
}

static void warn(void *context, const char *why)
{
    (void)context, (void)why;
}

static void assert_logged(const char *part)
{
    static char text[65536];
    FILE *file = fopen(log_path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_contains(text, part);
}

/* ---- waiting ---- */

static void test_network_waits(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;

    (void)state;
    sign_in(APW_METHOD_APP, &request, &exchange);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code(&request, WRONG, HOME), APW_TEXT_WRONG_CODE);
    assert_logged("verdict=refused reason=wrong-second-factor user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(try_code(&request, WRONG, HOME), APW_TEXT_WAIT);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_int_equal(try_code(&request, WRONG, "192.0.2.2"), APW_TEXT_WRONG_CODE);
    sign_out();
}

static void test_ipv6_network(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    char client[64];

    (void)state;
    sign_in(APW_METHOD_APP, &request, &exchange);
    for (int i = 0; i < 5; i++) {
        snprintf(client, sizeof client, "2001:db8:0:1:%x::%x", i, i);
        assert_int_equal(try_code(&request, WRONG, client), APW_TEXT_WRONG_CODE);
    }
    assert_int_equal(try_code(&request, WRONG, "2001:db8:0:1:ffff::1"), APW_TEXT_WAIT);
    assert_int_equal(try_code(&request, WRONG, "2001:db8:0:2::1"), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(&request, WRONG, "::ffff:" HOME), APW_TEXT_WRONG_CODE);
    sign_out();
}

/* Clients without an address are one network. */
static void test_unknown_network(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;

    (void)state;
    sign_in(APW_METHOD_APP, &request, &exchange);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code(&request, WRONG, ""), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(&request, WRONG, ""), APW_TEXT_WAIT);
    sign_out();
}

/* ---- what the entry says ---- */

static void test_fifty_a_day(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;

    (void)state;
    sign_in(APW_METHOD_APP, &request, &exchange);
    kept.told = kept.day; /* the owner knows already */
    try_from_everywhere(&request, 50);
    assert_int_equal(kept.count, 50);
    assert_int_equal(try_code(&request, WRONG, HOME), APW_TEXT_WAIT_A_DAY);
    assert_logged("verdict=refused reason=too-many-tries user=\"alice\" service=portal "
                  "client=" HOME " id=- action=second-factor");
    assert_int_equal(kept.count, 50);
    kept.count = 0; /* tomorrow */
    assert_int_equal(try_code(&request, WRONG, HOME), APW_TEXT_WRONG_CODE);
    sign_out();
}

static const struct storing_case {
    const char *name;
    enum apw_manage_result result;
    unsigned status;
    enum apw_text text;
} storings[] = {
    {"a code is not looked at if it cannot be counted", APW_MANAGE_UNAVAILABLE, 500, APW_TEXT_NONE},
    {"nor if the page may not", APW_MANAGE_NOT_PERMITTED, 500, APW_TEXT_NONE},
    {"nor while too many are counted at once", APW_MANAGE_CONFLICT, 303, APW_TEXT_WAIT_A_DAY},
};

static void test_not_stored(void **state)
{
    const struct storing_case *row = *state;
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    load_texts();
    stored = row->result;
    send_code(visitor, "123456", 600);
    type_code(&exchange, "123456");
    apw_challenge_verify(&request);
    assert_int_equal(exchange.status, row->status);
    assert_int_equal(request.session->flash, row->text);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_string_equal(visitor->mail.code, "123456");
    apw_buffer_free(&exchange.body);
    free_texts();
    sign_out();
}

/* ---- codes by mail ---- */

static void test_right_code(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    (void)state;
    send_code(visitor, "123456", 600);
    for (int i = 0; i < 4; i++)
        assert_int_equal(try_code(&request, "123457", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(try_code(&request, " 123 456 ", HOME), APW_TEXT_NONE);
    assert_int_equal(request.session->level, APW_RIGHTS_FULL);
    assert_string_not_equal(exchange.new_cookie, "");
    assert_string_not_equal(exchange.new_cookie, cookie);
    assert_true(unit_is_zero(&visitor->mail, sizeof visitor->mail));
    assert_int_equal(kept.count, 4); /* the right one does not count */
    assert_logged("verdict=accepted reason=second-factor user=\"alice\"");
    request.session->level =
        APW_RIGHTS_PASSWORD; /* as in another session: wrong codes are forgotten */
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_code(&request, "123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    sign_out();
}

static void test_another_address(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    (void)state;
    send_code(visitor, "123456", 600);
    strcpy(visitor->mail.address, "thief@elsewhere.example");
    strcpy(request.account.method.address, "alice@elsewhere.example");
    assert_int_equal(try_code(&request, "123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    sign_out();
}

static void test_five_tries(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    (void)state;
    send_code(visitor, "123456", 600);
    try_from_everywhere(&request, 5);
    assert_int_equal(try_code(&request, "123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    sign_out();
}

static void test_late_code(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    (void)state;
    send_code(visitor, "123456", 0);
    assert_int_equal(try_code(&request, "123456", HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    sign_out();
}

static void test_no_code(void **state)
{
    static const char *const typed[] = {"", "000000", "      ", "123456"};
    struct apw_exchange exchange;
    struct apw_request request;

    (void)state;
    sign_in(APW_METHOD_MAIL, &request, &exchange);
    for (size_t i = 0; i < UNIT_COUNT(typed); i++)
        assert_int_equal(try_code(&request, typed[i], HOME), APW_TEXT_WRONG_CODE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    sign_out();
}

/* ---- without memory ---- */

int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code);

/* No test here has a code of an app that is right. */
int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code)
{
    (void)secret, (void)secret_length, (void)step, (void)digits, (void)with_checksum;
    (void)truncation, (void)code;
    return OATH_MALLOC_ERROR;
}

static void test_no_memory(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;

    (void)state;
    sign_in(APW_METHOD_APP, &request, &exchange);
    load_texts();
    type_code(&exchange, "123456");
    apw_challenge_verify(&request);
    assert_int_not_equal(exchange.status, 303);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_logged("verdict=unavailable reason=internal-error user=\"alice\"");
    apw_buffer_free(&exchange.body);
    free_texts();
    sign_out();
}

/* ---- without a second factor there is nothing to verify ---- */

static void test_nothing_to_verify(void **state)
{
    struct apw_exchange exchange;
    struct apw_request request;
    struct apw_visitor *visitor = sign_in(APW_METHOD_MAIL, &request, &exchange);

    (void)state;
    request.account.has_method = false;
    send_code(visitor, "123456", 600);
    assert_int_equal(try_code(&request, "123456", HOME), APW_TEXT_NONE);
    assert_int_equal(request.session->level, APW_RIGHTS_PASSWORD);
    assert_string_equal(visitor->mail.code, "123456");
    sign_out();
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    unit_path("portal.log", log_path);
    UNIT_TEST("after five wrong codes a network waits", test_network_waits);
    UNIT_TEST("an IPv6 network is a /64", test_ipv6_network);
    UNIT_TEST("clients without an address are one network", test_unknown_network);
    UNIT_TEST("fifty codes a day are looked at", test_fifty_a_day);
    UNIT_ROWS(storings, test_not_stored);
    UNIT_TEST("the right code by mail gives all rights and a new cookie", test_right_code);
    UNIT_TEST("a code that went to another address is wrong", test_another_address);
    UNIT_TEST("a code by mail has five tries", test_five_tries);
    UNIT_TEST("a code that could not be checked is not a wrong one", test_no_memory);
    UNIT_TEST("a code by mail comes too late", test_late_code);
    UNIT_TEST("without a code nothing is right", test_no_code);
    UNIT_TEST("without a second factor nothing is right", test_nothing_to_verify);
    return unit_run();
}
