/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes of authenticator apps: RFC 6238's test vectors, drift, replay, typed forms. */
#include "totp.h"
#include "unit.h"

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

/* Every length fits or is refused; nothing is cut. */
static void test_uri_length(void **state)
{
    struct apw_method method = method_used_at(0);
    char *text = unit_repeat("a", 2000), *past = unit_repeat("\xff", 2000);
    char uri[APW_TOTP_URI_SIZE];
    size_t longest = 0;

    (void)state;
    for (size_t length = 1999; length > 0; length--) {
        text[length] = past[length] = '\0';
        if (apw_totp_uri(&method, "mail.example.org", text, uri) == 0) {
            assert_contains(uri, text);
            assert_contains(uri, "?secret=" BASE32 "&issuer=mail.example.org");
            longest = length > longest ? length : longest;
        }
        if (apw_totp_uri(&method, text, past, uri) == 0)
            assert_contains(uri, "?secret=" BASE32 "&issuer=a");
    }
    assert_true(longest >= 255); /* the longest login there is */
    free(text);
    free(past);
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

int main(void)
{
    UNIT_ROWS(vectors, test_vector);
    UNIT_ROWS(vectors, test_drift);
    UNIT_ROWS(vectors, test_replay);
    UNIT_ROWS(moments, test_moment);
    UNIT_TEST("the first counters", test_first_counters);
    UNIT_ROWS(typed_forms, test_typed);
    UNIT_TEST("a million characters are read to their end", test_long_typed);
    UNIT_ROWS(uris, test_uri);
    UNIT_TEST("a URI of any length fits or is refused", test_uri_length);
    UNIT_TEST("the secret is grouped by four", test_secret_text);
    return unit_run();
}
