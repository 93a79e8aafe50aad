/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of known browsers: whoever sends the cookie may write anything into it. */
#include "unit.h"
#include "web/browser.h"
#include <sodium.h>
#include <time.h>

static const uint8_t key[APW_BROWSER_KEY_BYTES] = "the portal's key, 32 bytes of it";
static const uint8_t other_key[APW_BROWSER_KEY_BYTES] = "the portal's key, 32 bytes of It";

static void test_known(void **state)
{
    char mark[APW_COOKIE_SIZE];
    int64_t now = (int64_t)time(NULL);

    (void)state;
    apw_browser_mark(key, "Kari", mark);
    assert_true(apw_browser_is_known(key, "kari", mark));
    assert_true(apw_browser_is_known_since(key, "KARI", mark, now));
    assert_false(apw_browser_is_known_since(key, "kari", mark, now + 60));
    assert_false(apw_browser_is_known(key, "ola", mark));
    assert_false(apw_browser_is_known(other_key, "kari", mark));
}

/* Each byte replaced by each other one: libsodium also takes some past ASCII for symbols, and the
 * last symbol has bits that mean nothing. */
static void test_other_spellings(void **state)
{
    char mark[APW_COOKIE_SIZE], altered[APW_COOKIE_SIZE];

    (void)state;
    apw_browser_mark(key, "kari", mark);
    for (size_t i = 0; i < strlen(mark); i++)
        for (int byte = 0; byte < 256; byte++) {
            if ((char)byte == mark[i])
                continue;
            memcpy(altered, mark, sizeof altered);
            altered[i] = (char)byte;
            assert_false(apw_browser_is_known(key, "kari", altered));
        }
}

static const struct hostile_case {
    const char *name;
    const char *mark;
} marks[] = {
    {"nothing", ""},
    {"one symbol", "A"},
    {"a mark of zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"the latest moment", "__________AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"a moment past any clock", "___________________________________________"},
    {"more than a mark",
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"padding", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    {"bytes past ASCII", "\xff\xfe\x80\xc3\x28\xff\xfe\x80\xc3\x28\xff\xfe\x80\xc3\x28"},
    {"spaces and line breaks", "AAAA AAAA\r\nAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAAAA"},
};

static void test_hostile(void **state)
{
    const struct hostile_case *row = *state;
    char *mark = unit_copy(row->mark, strlen(row->mark) + 1);

    assert_false(apw_browser_is_known(key, "kari", mark));
    free(mark);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_TEST("a mark is good for its login and key", test_known);
    UNIT_TEST("no other spelling of a mark is good", test_other_spellings);
    UNIT_ROWS(marks, test_hostile);
    return unit_run();
}
