/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes of authenticator apps: RFC 6238's test vectors, drift, replay, typed forms. */
#include "totp.h"
#include "unit.h"
#include <liboath/oath.h>

static bool has_memory = true;

int __real_oath_base32_encode(const char *in, size_t inlen, char **out, size_t *outlen);
int __wrap_oath_base32_encode(const char *in, size_t inlen, char **out, size_t *outlen);
int __wrap_oath_base32_encode(const char *in, size_t inlen, char **out, size_t *outlen)
{
    return has_memory ? __real_oath_base32_encode(in, inlen, out, outlen) : OATH_MALLOC_ERROR;
}

/* RFC 6238, appendix B: the secret for SHA-1. */
static struct apw_method method_used_at(uint64_t counter)
{
    struct apw_method method = {.kind = APW_METHOD_APP, .counter = counter};

    memcpy(method.secret, "12345678901234567890", sizeof method.secret);
    return method;
}

/* The last six of the appendix's eight digits: RFC 4226, 5.3 takes the number modulo 10^digits. */
static const struct vector_case {
    const char *name;
    int64_t time;
    const char *code;
} vectors[] = {
    {"1970-01-01 00:00:59", 59, "287082"},
    {"2005-03-18 01:58:29", 1111111109, "081804"},
    {"2005-03-18 01:58:31", 1111111111, "050471"},
    {"2009-02-13 23:31:30", 1234567890, "005924"},
    {"2033-05-18 03:33:20", 2000000000, "279037"},
    {"2603-10-11 11:33:20", INT64_C(20000000000), "353130"},
};

static enum apw_totp_result check(uint64_t used, const char *typed, int64_t now,
                                  uint64_t *counter_r)
{
    struct apw_method method = method_used_at(used);

    *counter_r = 4711;
    return apw_totp_check(&method, typed, now, counter_r);
}

static void test_vector(void **state)
{
    const struct vector_case *row = *state;
    uint64_t counter, right = (uint64_t)(row->time / 30);
    char *wrong = unit_copy(row->code, 7);

    assert_int_equal(check(0, row->code, row->time, &counter), APW_TOTP_RIGHT);
    assert_true(counter == right);
    for (int i = 0; i < 6; i++) {
        wrong[i] = row->code[i] == '9' ? '0' : (char)(row->code[i] + 1);
        assert_int_equal(check(0, wrong, row->time, &counter), APW_TOTP_WRONG);
        wrong[i] = row->code[i];
    }
    free(wrong);
}

/* Clocks that differ by one counter are forgiven, and the counter is the code's own. */
static void test_drift(void **state)
{
    const struct vector_case *row = *state;
    int64_t start = row->time - row->time % 30;
    uint64_t counter, right = (uint64_t)(row->time / 30);

    if (start >= 60) {
        assert_int_equal(check(0, row->code, start - 30, &counter), APW_TOTP_RIGHT);
        assert_true(counter == right);
        assert_int_equal(check(0, row->code, start - 31, &counter), APW_TOTP_WRONG);
    }
    assert_int_equal(check(0, row->code, start + 59, &counter), APW_TOTP_RIGHT);
    assert_true(counter == right);
    assert_int_equal(check(0, row->code, start + 60, &counter), APW_TOTP_WRONG);
}

/* Once a counter was used, it and the ones before it are used up. */
static void test_replay(void **state)
{
    const struct vector_case *row = *state;
    uint64_t counter, right = (uint64_t)(row->time / 30);

    assert_int_equal(check(right - 1, row->code, row->time, &counter), APW_TOTP_RIGHT);
    assert_int_equal(check(right, row->code, row->time, &counter), APW_TOTP_REPLAYED);
    assert_int_equal(check(right, row->code, row->time + 30, &counter), APW_TOTP_REPLAYED);
    assert_int_equal(check(right + 1, row->code, row->time, &counter), APW_TOTP_REPLAYED);
    assert_int_equal(check(UINT64_MAX, row->code, row->time, &counter), APW_TOTP_REPLAYED);
    assert_int_equal(check(right, "000000", row->time, &counter), APW_TOTP_WRONG);
}

static const struct moment_case {
    const char *name;
    int64_t now;
} moments[] = {
    {"no code is right before 1970", -1},
    {"no code is right long before 1970", INT64_MIN},
    {"no code is right at the first counter", 0},
    {"nor at its end", 29},
};

static void test_moment(void **state)
{
    const struct moment_case *row = *state;
    uint64_t counter;

    assert_int_equal(check(0, "287082", row->now, &counter),
                     APW_TOTP_WRONG); /* the code of counter 1 */
    assert_int_equal(check(0, "755224", row->now, &counter), APW_TOTP_WRONG); /* and of counter 0 */
}

/* A method that was never used has counter 0, so the code of counter 0 counts as used. */
static void test_first_counters(void **state)
{
    uint64_t counter;

    (void)state;
    assert_int_equal(check(0, "755224", 30, &counter), APW_TOTP_REPLAYED);
    assert_int_equal(check(0, "287082", 30, &counter), APW_TOTP_RIGHT);
    assert_int_equal(check(0, "359152", 30, &counter), APW_TOTP_RIGHT);
    assert_true(counter == 2);
}

/* Two steps have the same code, 910737 and 910738 of the appendix's secret: each is good for one
 * login, the earlier one first. */
static void test_twins(void **state)
{
    const int64_t now = INT64_C(910737) * 30;
    uint64_t counter;

    (void)state;
    assert_int_equal(check(0, "911617", now, &counter), APW_TOTP_RIGHT);
    assert_true(counter == 910737);
    assert_int_equal(check(910737, "911617", now, &counter), APW_TOTP_RIGHT);
    assert_true(counter == 910738);
    assert_int_equal(check(910738, "911617", now, &counter), APW_TOTP_REPLAYED);
}

/* ---- phones whose clock is wrong ---- */

/* The code of one step, typed at each step of more than half an hour before and after it. A code
 * that is up to two minutes old may have been typed slowly, and the next one is right. */
static void test_ahead(void **state)
{
    const struct vector_case *row = *state;
    struct apw_method method = method_used_at(0);
    char *wrong = unit_copy(row->code, 7);
    int64_t start = row->time - row->time % 30;

    wrong[5] = row->code[5] == '9' ? '0' : (char)(row->code[5] + 1);
    for (int64_t steps = -62; steps <= 62; steps++) {
        bool is_told = (steps >= -60 && steps < -4) || (steps > 1 && steps <= 60);
        int64_t now = start - steps * 30, ahead = is_told ? steps * 30 : 0;

        if (now < 1800) /* too near to the first step of all */
            ahead = 0;
        assert_int_equal(apw_totp_find_ahead(&method, row->code, now), ahead);
        assert_int_equal(apw_totp_find_ahead(&method, row->code, now + 29), ahead);
        assert_int_equal(apw_totp_find_ahead(&method, wrong, now), 0);
        assert_int_equal(apw_totp_find_ahead(&method, row->code + 1, now), 0); /* five digits */
    }
    free(wrong);
}

static void test_ahead_of_the_first_step(void **state)
{
    struct apw_method method = method_used_at(0);

    (void)state;
    assert_int_equal(apw_totp_find_ahead(&method, "755224", 1800), -1800);
    assert_int_equal(apw_totp_find_ahead(&method, "755224", 1799), 0);
    assert_int_equal(apw_totp_find_ahead(&method, "287082", 1799), 0);
    assert_int_equal(apw_totp_find_ahead(&method, "755224", INT64_MIN), 0);
}

static const struct typed_case {
    const char *name;
    const char *typed;
    bool is_code;
} typed_forms[] = {
    {"six digits", "287082", true},
    {"two groups of three", "287 082", true},
    {"three groups of two", "28 70 82", true},
    {"spaces around", "  287082  ", true},
    {"spaces everywhere", " 2 8 7  0 8 2 ", true},
    {"nothing", "", false},
    {"spaces alone", "      ", false},
    {"five digits", "28708", false},
    {"seven digits", "2870820", false},
    {"seven digits with a space", "287082 0", false},
    {"eight digits of the same number", "94287082", false},
    {"a hyphen between", "287-082", true},
    {"a dot between", "287.082", false},
    {"a sign", "+287082", false},
    {"a sign in place of a digit", "-87082", false},
    {"a trailing letter", "287082a", false},
    {"letters", "abcdef", false},
    {"o for 0", "287o82", false},
    {"a tab between", "287\t082", true},
    {"a trailing line end", "287082\n", true},
    {"a no-break space between",
     "287\xc2\xa0"
     "082",
     true},
    {"invisible characters around",
     "\xe2\x80\x8b"
     "287082\xef\xbb\xbf",
     true},
    {"a dash between",
     "287\xe2\x80\x93"
     "082",
     true},
    {"a hyphen and five digits", "287-08", false},
    {"digits of full width",
     "\xef\xbc\x92\xef\xbc\x98\xef\xbc\x97\xef\xbc\x90\xef\xbc\x98\xef\xbc\x92", false},
    {"Arabic digits", "\xd9\xa2\xd9\xa8\xd9\xa7\xd9\xa0\xd9\xa8\xd9\xa2", false},
    {"a byte that is no digit", "28708\xff", false},
};

static void test_typed(void **state)
{
    const struct typed_case *row = *state;
    char *typed = unit_copy(row->typed, strlen(row->typed) + 1), code[APW_TOTP_DIGITS + 1];
    uint64_t counter;

    assert_int_equal(apw_totp_canonicalize_code(typed, code), row->is_code ? 0 : -1);
    if (row->is_code)
        assert_string_equal(code, "287082");
    assert_int_equal(check(0, typed, 59, &counter), row->is_code ? APW_TOTP_RIGHT : APW_TOTP_WRONG);
    free(typed);
}

static void test_long_typed(void **state)
{
    char *digits = unit_repeat("2", 1000000), *spaces = unit_repeat(" ", 1000000);
    char code[APW_TOTP_DIGITS + 1];

    (void)state;
    assert_int_equal(apw_totp_canonicalize_code(digits, code), -1);
    assert_int_equal(apw_totp_canonicalize_code(spaces, code), -1);
    memcpy(spaces + 500000, "287082", 6);
    assert_int_equal(apw_totp_canonicalize_code(spaces, code), 0);
    assert_string_equal(code, "287082");
    free(digits);
    free(spaces);
}

/* ---- for the app ---- */

#define BASE32 "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static const struct uri_case {
    const char *name;
    const char *issuer;
    const char *user;
    const char *uri;
} uris[] = {
    {"a URI for the app", "mail.example.org", "alice",
     "otpauth://totp/mail.example.org:alice?secret=" BASE32 "&issuer=mail.example.org"},
    {"a user by a mail address", "mail.example.org", "alice@example.org",
     "otpauth://totp/mail.example.org:alice%40example.org?secret=" BASE32
     "&issuer=mail.example.org"},
    {"characters that would start another part of the URI", "a:b/c", "x?y&z#=%+ ",
     "otpauth://totp/a%3Ab%2Fc:x%3Fy%26z%23%3D%25%2B%20?secret=" BASE32 "&issuer=a%3Ab%2Fc"},
    {"an issuer by an address", "2001:db8::1", "-._~",
     "otpauth://totp/2001%3Adb8%3A%3A1:-._~?secret=" BASE32 "&issuer=2001%3Adb8%3A%3A1"},
    {"a user past ASCII", "x", "bl\xc3\xa5",
     "otpauth://totp/x:bl%C3%A5?secret=" BASE32 "&issuer=x"},
    {"the first and last letters and digits", "x",
     "azAZ09`{@[/:", "otpauth://totp/x:azAZ09%60%7B%40%5B%2F%3A?secret=" BASE32 "&issuer=x"},
    {"nobody", "", "", "otpauth://totp/:?secret=" BASE32 "&issuer="},
};

static void test_uri(void **state)
{
    const struct uri_case *row = *state;
    struct apw_method method = method_used_at(0);
    char uri[APW_TOTP_URI_SIZE];

    assert_int_equal(apw_totp_uri(&method, row->issuer, row->user, uri), 0);
    assert_string_equal(uri, row->uri);
}

static const struct length_case {
    const char *name;
    size_t issuer, user; /* bytes */
    bool fits;
} lengths[] = {
    {"the longest login there is", 253, 255, true}, {"a user of 509 bytes", 1, 509, true},
    {"a user of 510 bytes", 1, 510, false},         {"an issuer of 253 bytes", 253, 1, true},
    {"an issuer of 254 bytes", 254, 1, false},      {"1023 bytes in all", 253, 453, true},
    {"1024 bytes in all", 253, 454, false},         {"a million bytes", 1000000, 1000000, false},
};

/* Every length fits or is refused; nothing is cut. */
static void test_length(void **state)
{
    const struct length_case *row = *state;
    struct apw_method method = method_used_at(0);
    char *issuer = unit_repeat("i", row->issuer), *user = unit_repeat("u", row->user);
    char uri[APW_TOTP_URI_SIZE], whole[APW_TOTP_URI_SIZE];

    assert_int_equal(apw_totp_uri(&method, issuer, user, uri), row->fits ? 0 : -1);
    if (row->fits) {
        snprintf(whole, sizeof whole, "otpauth://totp/%s:%s?secret=" BASE32 "&issuer=%s", issuer,
                 user, issuer);
        assert_string_equal(uri, whole);
    }
    free(issuer);
    free(user);
}

static void test_encoded_length(void **state)
{
    struct apw_method method = method_used_at(0);
    char *fits = unit_repeat("\xff", 170), *does_not = unit_repeat("\xff", 171);
    char uri[APW_TOTP_URI_SIZE];

    (void)state;
    assert_int_equal(apw_totp_uri(&method, "x", fits, uri), 0);
    assert_contains(uri, "%FF?secret=" BASE32 "&issuer=x");
    assert_int_equal(apw_totp_uri(&method, "x", does_not, uri), -1);
    free(fits);
    free(does_not);
}

static void test_secret_text(void **state)
{
    struct apw_method method = method_used_at(0);
    char text[APW_TOTP_SECRET_TEXT_SIZE];

    (void)state;
    assert_int_equal(apw_totp_secret_text(&method, text), 0);
    assert_string_equal(text, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    memset(method.secret, 0, sizeof method.secret);
    assert_int_equal(apw_totp_secret_text(&method, text), 0);
    assert_string_equal(text, "AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA");
}

static void test_without_memory(void **state)
{
    struct apw_method method = method_used_at(0);
    char uri[APW_TOTP_URI_SIZE], text[APW_TOTP_SECRET_TEXT_SIZE];

    (void)state;
    has_memory = false;
    assert_int_equal(apw_totp_uri(&method, "x", "alice", uri), -1);
    assert_int_equal(apw_totp_secret_text(&method, text), -1);
    has_memory = true;
}

int main(void)
{
    UNIT_ROWS(vectors, test_vector);
    UNIT_ROWS(vectors, test_drift);
    UNIT_ROWS(vectors, test_replay);
    UNIT_ROWS(moments, test_moment);
    UNIT_TEST("the first counters", test_first_counters);
    UNIT_TEST("two steps with the same code", test_twins);
    UNIT_ROWS(vectors, test_ahead);
    UNIT_TEST("a phone that is ahead of the first step", test_ahead_of_the_first_step);
    UNIT_ROWS(typed_forms, test_typed);
    UNIT_TEST("a million characters are read to their end", test_long_typed);
    UNIT_ROWS(uris, test_uri);
    UNIT_ROWS(lengths, test_length);
    UNIT_TEST("what is encoded has three times the length", test_encoded_length);
    UNIT_TEST("the secret is grouped by four", test_secret_text);
    UNIT_TEST("without memory there is no secret to show", test_without_memory);
    return unit_run();
}
