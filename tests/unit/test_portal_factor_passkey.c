/* SPDX-License-Identifier: BSD-2-Clause */
/* Passkeys: what the pages ask the browser for, and what is checked of its answer. The check itself
 * is replaced. */
#include "factor_passkey.h"
#include "passkey.h"
#include "visit.h"

/* ---- in place of passkey.c ---- */

static char asked[APW_PASSKEY_CHALLENGE_SIZE]; /* the challenge that was checked; "" for none */
static struct apw_method registered;
static int status; /* how the check ends */

static void record(const struct apw_passkey_request *checked,
                   const struct apw_passkey_response *response, const char *signature)
{
    assert_string_equal(checked->host, "mail.example.org");
    assert_string_equal(checked->origin, "https://mail.example.org");
    snprintf(asked, sizeof asked, "%s", checked->challenge);
    assert_string_equal(response->client_data, "Y2xpZW50");
    assert_string_equal(response->authenticator_data, "YXV0aA");
    assert_string_equal(response->signature, signature);
}

int __wrap_apw_passkey_register(const struct apw_passkey_request *checked,
                                const struct apw_passkey_response *response,
                                struct apw_method *method_r, struct apw_error *error);
int __wrap_apw_passkey_verify(const struct apw_passkey_request *checked,
                              const struct apw_passkey_response *response,
                              struct apw_method *method, struct apw_error *error);

int __wrap_apw_passkey_register(const struct apw_passkey_request *checked,
                                const struct apw_passkey_response *response,
                                struct apw_method *method_r, struct apw_error *error)
{
    record(checked, response, "");
    *method_r = registered;
    return status == 0 ? 0 : apw_error_set(error, "wrong");
}

int __wrap_apw_passkey_verify(const struct apw_passkey_request *checked,
                              const struct apw_passkey_response *response,
                              struct apw_method *method, struct apw_error *error)
{
    record(checked, response, "c2ln");
    method->counter++;
    return status == 0 ? 0 : apw_error_set(error, "wrong");
}

static struct apw_visitor *begin(void)
{
    asked[0] = '\0';
    registered = (struct apw_method){
        .kind = APW_METHOD_PASSKEY, .credential = "one", .credential_length = 3};
    status = 0;
    return visit_begin();
}

static struct apw_factor *add(enum apw_method_kind kind, const char *credential, bool is_allowed)
{
    struct apw_factor *factor = visit_add_factor(kind, "1f2e3d4c");

    factor->is_allowed = is_allowed;
    factor->method.credential_length = strlen(credential);
    memcpy(factor->method.credential, credential, strlen(credential));
    return factor;
}

/* The browser's answer, with this in one more field. */
static void answer(const char *name, const char *value)
{
    visit_next();
    visit_type("client_data", "Y2xpZW50");
    visit_type("authenticator_data", "YXV0aA");
    visit_type(name, value);
}

/* ---- what is asked for ---- */

static void assert_asked(const char *name, const char *value)
{
    char attribute[256];

    snprintf(attribute, sizeof attribute, " data-%s=\"%s\"", name, value);
    assert_contains(exchange.body.bytes, attribute);
}

static void test_show(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    apw_factor_passkey_show(&request);
    assert_shown(200, "Step 2 of 4");
    assert_int_equal(strlen(visitor->challenge), 43);
    assert_asked("challenge", visitor->challenge);
    assert_asked("host", "mail.example.org");
    assert_asked("credentials", "");
    /* It never changes: another one would be another person to the browser. */
    assert_asked("handle", "3VA7Qz80jNoC8xJTRyivQVFRawx9QZKmMzRI7yXqu8w");
    visit_end();
}

static void test_show_known(void **state)
{
    (void)state;
    begin();
    add(APW_METHOD_APP, "app", true);
    add(APW_METHOD_PASSKEY, "one", true);
    add(APW_METHOD_PASSKEY, "forbidden", false);
    add(APW_METHOD_PASSKEY, "x", true);
    apw_factor_passkey_show(&request);
    assert_shown(200, "Step 2 of 2");
    assert_asked("credentials", "b25l eA");
    request.account.factors.count--; /* one is behind the last one */
    visit_next();
    apw_factor_passkey_show(&request);
    assert_asked("credentials", "b25l");
    visit_end();
}

static void test_not_allowed(void **state)
{
    struct apw_visitor *visitor = begin();

    (void)state;
    portal_config.factors.allows[APW_METHOD_PASSKEY] = false;
    apw_factor_passkey_show(&request);
    assert_redirected("choose", APW_TEXT_NONE, false);
    assert_string_equal(visitor->challenge, "");
    visit_end();
}

static void test_challenge(void **state)
{
    struct apw_visitor *visitor = begin();
    struct apw_buffer list = {.bytes = NULL};
    char first[APW_PASSKEY_CHALLENGE_SIZE];

    (void)state;
    add(APW_METHOD_PASSKEY, "one", true);
    apw_factor_passkey_set_challenge(&request, &list);
    assert_string_equal(list.bytes, "b25l");
    apw_buffer_free(&list);
    strcpy(first, visitor->challenge);
    now_ms += 599999;
    apw_factor_passkey_set_challenge(&request, &list);
    assert_string_equal(visitor->challenge, first); /* of another tab */
    apw_buffer_free(&list);
    now_ms++;
    apw_factor_passkey_set_challenge(&request, &list);
    assert_string_not_equal(visitor->challenge, first);
    apw_buffer_free(&list);
    visit_end();
}

/* ---- what is answered ---- */

static const struct register_case {
    const char *name;
    int waited_ms;
    int status;
    const char *known; /* a passkey that there is already */
    const char *label;
    const char *own_name; /* NULL: it is refused */
    const char *error;
} registers[] = {
    {"a passkey is registered", 0, 0, "two", "", "", NULL},
    {"with a name", 599999, 0, "two", " Blue key ", "Blue key", NULL},
    {"without a bad name", 0, 0, "two", "a\tb", "", NULL},
    {"a wrong one is refused", 0, -1, "two", "", NULL, "wrong"},
    {"one too late, too", 600000, 0, "two", "", NULL, "the page is older than 10 minutes"},
    {"one that there is already, too", 0, 0, "one", "", NULL, "the passkey is set up already"},
};

static void test_register(void **state)
{
    const struct register_case *row = *state;
    struct apw_visitor *visitor = begin();
    char challenge[APW_PASSKEY_CHALLENGE_SIZE];
    struct apw_method method = {.kind = APW_METHOD_PASSKEY};

    add(APW_METHOD_PASSKEY, row->known, false);
    add(APW_METHOD_PASSKEY, "one", true);
    request.account.factors.count--; /* one is behind the last one */
    apw_factor_passkey_show(&request);
    strcpy(challenge, visitor->challenge);
    now_ms += row->waited_ms;
    status = row->status;
    answer("label", row->label);
    assert_int_equal(apw_factor_passkey_register(&request, &method), row->own_name != NULL);
    if (row->own_name != NULL) {
        assert_string_equal(method.name, row->own_name);
        assert_string_equal(asked, challenge);
        assert_not_logged("verdict");
    } else {
        assert_logged("verdict=refused reason=wrong-second-factor user=\"alice\"");
        assert_logged("action=enrol");
        assert_logged(row->error);
    }
    assert_true(unit_is_zero(visitor->challenge, sizeof visitor->challenge));
    assert_false(apw_factor_passkey_register(&request, &method)); /* once */
    visit_end();
}

static void test_answered(void **state)
{
    struct apw_factor *one;

    (void)state;
    begin();
    one = add(APW_METHOD_PASSKEY, "one", true);
    add(APW_METHOD_PASSKEY, "forbidden", false);
    add(APW_METHOD_PASSKEY, "two", true);
    request.account.factors.count--;
    answer("credential", "b25l");
    assert_ptr_equal(apw_factor_passkey_answered(&request), one);
    answer("credential", "dHdv"); /* behind the last one */
    assert_null(apw_factor_passkey_answered(&request));
    answer("credential", "Zm9yYmlkZGVu");
    assert_null(apw_factor_passkey_answered(&request));
    answer("credential", "");
    assert_null(apw_factor_passkey_answered(&request));
    visit_end();
}

static const struct check_case {
    const char *name;
    int waited_ms;
    int status;
    enum apw_reason reason;
    const char *error;
} checks[] = {
    {"a right signature", 599999, 0, APW_REASON_SECOND_FACTOR, ""},
    {"a wrong one", 0, -1, APW_REASON_WRONG_SECOND_FACTOR, "wrong"},
    {"one too late", 600000, 0, APW_REASON_WRONG_SECOND_FACTOR,
     "the page is older than 10 minutes"},
};

static void test_check(void **state)
{
    const struct check_case *row = *state;
    struct apw_visitor *visitor = begin();
    char challenge[APW_PASSKEY_CHALLENGE_SIZE];
    struct apw_method method = {.kind = APW_METHOD_PASSKEY};
    struct apw_error error = {""};

    apw_factor_passkey_show(&request);
    strcpy(challenge, visitor->challenge);
    now_ms += row->waited_ms;
    status = row->status;
    answer("signature", "c2ln");
    assert_int_equal(apw_factor_passkey_check(&request, &method, &error), row->reason);
    assert_string_equal(error.text, row->error);
    assert_string_equal(asked, row->waited_ms < 600000 ? challenge : "");
    assert_int_equal(method.counter, row->waited_ms < 600000);
    status = 0;
    assert_int_equal(apw_factor_passkey_check(&request, &method, &error),
                     APW_REASON_WRONG_SECOND_FACTOR); /* once */
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("the page asks for a new passkey", test_show);
    UNIT_TEST("and names those that there are", test_show_known);
    UNIT_TEST("without them it leads to the choice", test_not_allowed);
    UNIT_TEST("tabs share a challenge for ten minutes", test_challenge);
    UNIT_ROWS(registers, test_register);
    UNIT_TEST("an answer is about a passkey of the person", test_answered);
    UNIT_ROWS(checks, test_check);
    return unit_run();
}
