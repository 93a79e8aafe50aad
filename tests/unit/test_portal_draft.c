/* SPDX-License-Identifier: BSD-2-Clause */
/* The key of an authenticator app in a cookie: when it opens, and what does not. */
#include "draft.h"
#include "method_seal.h"
#include "unit.h"
#include <sodium.h>

#define ENTRY "597ae2f6-16a6-1027-98f4-d28b5365dc14"
#define NOW   1795342500
#define DAY   86400

static const uint8_t key[APW_METHOD_KEY_BYTES] = "the portal's key, 32 bytes of it";
static const uint8_t other_key[APW_METHOD_KEY_BYTES] = "the portal's key, 32 bytes of It";
static const uint8_t secret[APW_METHOD_SECRET_BYTES] = "twenty bytes of it..";

static bool opens(const char *draft, const char *unique_id, int64_t now)
{
    uint8_t opened[APW_METHOD_SECRET_BYTES] = {0};
    bool is_open = apw_draft_open(key, unique_id, now, draft, opened);

    if (is_open)
        assert_memory_equal(opened, secret, sizeof opened);
    else
        assert_true(unit_is_zero(opened, sizeof opened));
    return is_open;
}

static void test_draft(void **state)
{
    uint8_t opened[APW_METHOD_SECRET_BYTES];
    char draft[APW_DRAFT_SIZE];

    (void)state;
    apw_draft_seal(key, ENTRY, NOW, secret, draft);
    assert_int_equal(strspn(draft, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
                     strlen(draft)); /* a cookie's value */
    assert_true(opens(draft, ENTRY, NOW));
    assert_true(opens(draft, ENTRY, NOW + DAY - 1));
    assert_false(opens(draft, ENTRY, NOW + DAY));
    assert_false(opens(draft, ENTRY, NOW - 1));
    assert_false(opens(draft, "another", NOW));
    assert_false(apw_draft_open(other_key, ENTRY, NOW, draft, opened));
}

static void test_altered(void **state)
{
    char draft[APW_DRAFT_SIZE];
    size_t length;

    (void)state;
    apw_draft_seal(key, ENTRY, NOW, secret, draft);
    length = strlen(draft);
    for (size_t i = 0; i < length; i++) {
        char symbol = draft[i];

        draft[i] = (char)(symbol | 0x80);
        assert_false(opens(draft, ENTRY, NOW));
        draft[i] = '\0';
        assert_false(opens(draft, ENTRY, NOW));
        draft[i] = symbol == 'A' ? 'B' : 'A';
        assert_false(opens(draft, ENTRY, NOW));
        draft[i] = symbol;
    }
    memset(draft, 'A', sizeof draft - 1);
    draft[sizeof draft - 1] = '\0';
    assert_false(opens(draft, ENTRY, NOW));
    assert_false(opens("sealed=", ENTRY, NOW));
}

/* With the same key and entry, neither opens as the other. */
static void test_no_factor(void **state)
{
    const struct apw_method method = {
        .kind = APW_METHOD_APP, .id = "1f2e3d4c", .since = NOW, .secret = "twenty bytes of it.."};
    char value[APW_METHOD_VALUE_SIZE], draft[APW_DRAFT_SIZE], factor[512];
    struct apw_method opened;

    (void)state;
    assert_int_equal(apw_method_seal(&method, key, ENTRY, value, NULL), 0);
    assert_false(opens(strstr(value, "sealed=") + 7, ENTRY, NOW));
    apw_draft_seal(key, ENTRY, NOW, secret, draft);
    snprintf(factor, sizeof factor, "%.*s%s", (int)(strstr(value, "sealed=") + 7 - value), value,
             draft);
    assert_int_equal(apw_method_open(factor, strlen(factor), key, ENTRY, &opened, NULL), -1);
    snprintf(factor, sizeof factor, "sealed=%s", draft); /* as in 0.1 */
    assert_int_equal(apw_method_open(factor, strlen(factor), key, ENTRY, &opened, NULL), -1);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_TEST("a draft opens for its entry, within a day", test_draft);
    UNIT_TEST("an altered draft does not open", test_altered);
    UNIT_TEST("a draft is no factor, and a factor is no draft", test_no_factor);
    return unit_run();
}
