/* SPDX-License-Identifier: BSD-2-Clause */
/* The authenticator app: its secret, the page that shows it, and its codes. */
#include "factor_app.h"
#include "qr.h"
#include "totp.h"
#include "visit.h"
#include <liboath/oath.h>

#define NOBODYS_DRAFT "AAAA"

static bool is_memory_short;

int __real_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code);
int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code);

int __wrap_oath_hotp_generate(const char *secret, size_t secret_length, uint64_t step,
                              unsigned digits, bool with_checksum, size_t truncation, char *code)
{
    return is_memory_short ? OATH_MALLOC_ERROR
                           : __real_oath_hotp_generate(secret, secret_length, step, digits,
                                                       with_checksum, truncation, code);
}

static void begin_with(const char *draft)
{
    visit_next();
    snprintf(exchange.draft, sizeof exchange.draft, "%s", draft);
    exchange.new_draft[0] = '\0';
    apw_factor_app_begin(&request);
}

static void test_begin(void **state)
{
    struct apw_visitor *visitor = visit_begin();
    uint8_t secret[APW_METHOD_SECRET_BYTES];
    char draft[APW_DRAFT_SIZE];

    (void)state;
    strcpy(visitor->pending.address, "alice@example.net");
    apw_factor_app_begin(&request);
    assert_true(visitor->has_pending);
    assert_int_equal(visitor->pending.kind, APW_METHOD_APP);
    assert_string_equal(visitor->pending.address, "");
    assert_false(unit_is_zero(visitor->pending.secret, sizeof secret));
    memcpy(secret, visitor->pending.secret, sizeof secret);
    strcpy(draft, exchange.new_draft);
    begin_with(draft);
    assert_memory_equal(visitor->pending.secret, secret, sizeof secret);
    assert_string_equal(exchange.new_draft, ""); /* the browser has it */
    begin_with(NOBODYS_DRAFT);
    assert_memory_not_equal(visitor->pending.secret, secret, sizeof secret);
    assert_string_not_equal(exchange.new_draft, "");
    user.unique_id = (char *)"another";
    begin_with(draft);
    assert_memory_not_equal(visitor->pending.secret, secret, sizeof secret);
    visit_end();
}

static void test_show(void **state)
{
    struct apw_visitor *visitor = visit_begin();
    char uri[APW_TOTP_URI_SIZE], secret[APW_TOTP_SECRET_TEXT_SIZE], size_text[64];
    struct apw_buffer path = {.bytes = NULL};
    int size;

    (void)state;
    apw_factor_app_begin(&request);
    apw_factor_app_show(&request);
    assert_int_equal(apw_totp_uri(&visitor->pending, "mail.example.org", "alice", uri), 0);
    assert_int_equal(apw_totp_secret_text(&visitor->pending, secret), 0);
    assert_int_equal(apw_qr_path(uri, &path, &size), 0);
    snprintf(size_text, sizeof size_text, "viewBox=\"0 0 %d %d\"", size, size);
    assert_shown(200, "Step 2 of 4");
    assert_contains(exchange.body.bytes, size_text);
    apw_buffer_add_string(&path, "\"");
    assert_contains(strstr(exchange.body.bytes, " d=\"") + 4, path.bytes);
    assert_contains(exchange.body.bytes, secret);
    assert_contains(exchange.body.bytes, "href=\"otpauth://totp/mail.example.org:alice?secret=");
    apw_buffer_free(&path);
    visit_end();
}

static void test_nothing_to_show(void **state)
{
    struct apw_visitor *visitor = visit_begin();

    (void)state;
    apw_factor_app_show(&request);
    assert_redirected("choose", APW_TEXT_NONE, false);
    visit_next();
    visitor->has_pending = true;
    visitor->pending.kind = APW_METHOD_MAIL;
    apw_factor_app_show(&request);
    assert_redirected("choose", APW_TEXT_NONE, false);
    visit_end();
}

/* The link has room for 256 characters of a site's name. */
static void test_no_room(void **state)
{
    char *site = portal_config.site, *long_site = unit_repeat("x", 256);

    (void)state;
    visit_begin();
    apw_factor_app_begin(&request);
    portal_config.site = long_site;
    apw_factor_app_show(&request);
    assert_shown(503, "</html>");
    portal_config.site = site;
    visit_end();
    free(long_site);
}

static enum apw_reason check(struct apw_method *method, int64_t counter)
{
    char code[APW_TOTP_DIGITS + 1];

    assert_int_equal(oath_hotp_generate((const char *)method->secret, sizeof method->secret,
                                        (uint64_t)counter, APW_TOTP_DIGITS, false,
                                        OATH_HOTP_DYNAMIC_TRUNCATION, code),
                     OATH_OK);
    visit_next();
    visit_type("code", code);
    return apw_factor_app_check(&request, method);
}

static void test_check(void **state)
{
    struct apw_method method = {.kind = APW_METHOD_APP, .secret = "a secret of an app"};
    int64_t counter;

    (void)state;
    visit_begin();
    counter = now_s / 30;
    assert_int_equal(check(&method, counter - 2), APW_REASON_WRONG_SECOND_FACTOR);
    assert_int_equal(method.counter, 0);
    assert_int_equal(check(&method, counter), APW_REASON_SECOND_FACTOR);
    assert_int_equal(method.counter, counter);
    assert_int_equal(check(&method, counter), APW_REASON_REPLAYED_SECOND_FACTOR);
    assert_int_equal(check(&method, counter - 1), APW_REASON_REPLAYED_SECOND_FACTOR);
    assert_int_equal(method.counter, counter);
    assert_int_equal(check(&method, counter + 1), APW_REASON_SECOND_FACTOR);
    visit_end();
}

static void test_no_memory(void **state)
{
    struct apw_method method = {.kind = APW_METHOD_APP};

    (void)state;
    visit_begin();
    visit_type("code", "123456");
    is_memory_short = true;
    assert_int_equal(apw_factor_app_check(&request, &method), APW_REASON_INTERNAL_ERROR);
    is_memory_short = false;
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_TEST("a secret is made, or the one that this browser was shown", test_begin);
    UNIT_TEST("the page shows the pending secret", test_show);
    UNIT_TEST("without one, it leads to the choice", test_nothing_to_show);
    UNIT_TEST("a link that is too long is an outage", test_no_room);
    UNIT_TEST("a code works once", test_check);
    UNIT_TEST("a code that could not be checked is not a wrong one", test_no_memory);
    return unit_run();
}
