/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery codes: what is a code, and that each works once. */
#include "recovery.h"
#include "unit.h"
#include <sodium.h>

static void test_once(void **state)
{
    struct apw_method method = {.id = "1f2e3d4c"};
    struct apw_recovery_codes codes;

    (void)state;
    apw_recovery_make(&method, &codes);
    assert_int_equal(method.kind, APW_METHOD_RECOVERY);
    for (unsigned i = 0; i < APW_METHOD_CODES; i++) {
        assert_int_equal(apw_recovery_left(&method), APW_METHOD_CODES - i);
        assert_int_equal(strlen(codes.shown[i]), APW_RECOVERY_SHOWN_SIZE - 1);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(codes.shown[i], codes.shown[k]);
        assert_true(apw_recovery_use(&method, codes.shown[i]));
        assert_false(apw_recovery_use(&method, codes.shown[i]));
    }
    assert_int_equal(apw_recovery_left(&method), 0);
    assert_true(unit_is_zero(method.code_hash, sizeof method.code_hash));
}

/* The hashes are of one set alone. */
static void test_other_set(void **state)
{
    struct apw_method one = {.id = "1f2e3d4c"}, two = {.id = "1f2e3d4d"};
    struct apw_recovery_codes codes;

    (void)state;
    apw_recovery_make(&one, &codes);
    memcpy(two.code_hash, one.code_hash, sizeof two.code_hash);
    assert_false(apw_recovery_use(&two, codes.shown[0]));
    assert_true(apw_recovery_use(&one, codes.shown[0]));
}

static void test_spelling(void **state)
{
    static const char *const wrong[] = {
        "",  "0",   " ", "000000000000", "---", "0000-0000-0000-0", "\n", "0000-0000-000u",
        "é", "\xff"};
    struct apw_method method = {.id = "1f2e3d4c"};
    char spelled[64], longer[64];
    struct apw_recovery_codes codes;

    (void)state;
    apw_recovery_make(&method, &codes);
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++)
        assert_false(apw_recovery_use(&method, wrong[i]));
    snprintf(longer, sizeof longer, "%s0", codes.shown[0]);
    assert_false(apw_recovery_use(&method, longer));
    longer[strlen(longer) - 2] = '\0';
    assert_false(apw_recovery_use(&method, longer));
    assert_int_equal(apw_recovery_left(&method), APW_METHOD_CODES);
    snprintf(spelled, sizeof spelled, " %.4s %.4s\t%.4s ", codes.shown[0], codes.shown[0] + 5,
             codes.shown[0] + 10);
    for (char *c = spelled; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c == '0' ? 'o' : *c;
    assert_true(apw_recovery_use(&method, spelled));
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("each of ten codes works once", test_once);
    UNIT_TEST("a code of another set is wrong", test_other_set);
    UNIT_TEST("a code may be spelled as app passwords may", test_spelling);
    return unit_run();
}
