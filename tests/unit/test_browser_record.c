/* SPDX-License-Identifier: BSD-2-Clause */
/* Remembered browsers: which values are written and read, and what a proof depends on. */
#include "browser_record.h"
#include "unit.h"
#include <sodium.h>

#define ENTRY "597ae2f6-16a6-1027-98f4-d28b5365dc14"

static const uint8_t key[APW_SEAL_KEY_BYTES] = "the portal's key, 32 bytes of it";
static const uint8_t other_key[APW_SEAL_KEY_BYTES] = "the portal's key, 32 bytes of It";
static const struct apw_browser_record record = {.id = "1f2e3d4c",
                                                 .since = 1795342500,
                                                 .until = 1797934500,
                                                 .factor = "00000000",
                                                 .proof = {1, 0xff},
                                                 .name = "Firefox – Windows"};

static void test_round(void **state)
{
    char value[APW_BROWSER_RECORD_SIZE];
    struct apw_browser_record opened;

    (void)state;
    assert_int_equal(apw_browser_record_seal(&record, key, ENTRY, value), 0);
    assert_true(apw_browser_record_is_value(value, strlen(value)));
    assert_int_equal(strncmp(value, "browser v=2 sealed=", 19), 0);
    assert_null(strstr(value, "Firefox"));
    memset(&opened, 0xff, sizeof opened);
    assert_int_equal(apw_browser_record_open(value, strlen(value), key, ENTRY, &opened), 0);
    assert_memory_equal(&opened, &record, sizeof opened);
}

static void test_foreign(void **state)
{
    char value[APW_BROWSER_RECORD_SIZE];
    struct apw_browser_record opened;
    size_t length;

    (void)state;
    assert_int_equal(apw_browser_record_seal(&record, key, ENTRY, value), 0);
    length = strlen(value);
    assert_int_equal(apw_browser_record_open(value, length, other_key, ENTRY, &opened), -1);
    assert_int_equal(apw_browser_record_open(value, length, key, "another", &opened), -1);
    assert_true(unit_is_zero(&opened, sizeof opened));
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(apw_browser_record_open(value, i, key, ENTRY, &opened), -1);
        value[i] ^= 1;
        if (i < length - 1) /* the last symbol may have unused bits */
            assert_int_equal(apw_browser_record_open(value, length, key, ENTRY, &opened), -1);
        value[i] ^= 1;
    }
}

static const struct unstorable_case {
    const char *name;
    struct apw_browser_record record;
} unstorable[] = {
    {"a record without an id is not sealed", {.factor = "00000000", .name = "x"}},
    {"a record without a factor is not sealed", {.id = "00000000", .name = "x"}},
    {"a record without a name is not sealed", {.id = "00000000", .factor = "00000000"}},
    {"a record with a line end is not sealed",
     {.id = "00000000", .factor = "00000000", .name = "a\nb"}},
    {"a record past the year 9999 is not sealed",
     {.id = "00000000", .factor = "00000000", .name = "x", .until = INT64_MAX}},
};

static void test_unstorable(void **state)
{
    const struct unstorable_case *row = *state;
    char value[APW_BROWSER_RECORD_SIZE];

    assert_int_equal(apw_browser_record_seal(&row->record, key, ENTRY, value), -1);
}

static void test_proof(void **state)
{
    uint8_t cookie[APW_BROWSER_COOKIE_BYTES] = {0x1f, 0x2e, 0x3d, 0x4c, 5};
    struct apw_browser_record one, two;

    (void)state;
    apw_browser_record_prove(cookie, "secret", &one);
    assert_string_equal(one.id, "1f2e3d4c");
    apw_browser_record_prove(cookie, "secret", &two);
    assert_memory_equal(one.proof, two.proof, sizeof one.proof);
    apw_browser_record_prove(cookie, "secreT", &two);
    assert_memory_not_equal(one.proof, two.proof, sizeof one.proof);
    cookie[31] ^= 1;
    apw_browser_record_prove(cookie, "secret", &two);
    assert_string_equal(one.id, two.id);
    assert_memory_not_equal(one.proof, two.proof, sizeof one.proof);
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("a record comes back", test_round);
    UNIT_TEST("one of another key or entry, or altered, is refused", test_foreign);
    UNIT_ROWS(unstorable, test_unstorable);
    UNIT_TEST("a proof depends on cookie and password", test_proof);
    return unit_run();
}
