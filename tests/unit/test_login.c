/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins: UTF-8, blanks, control characters, lengths, realms. */
#include "login.h"
#include "unit.h"
#include "utf8.h"

#define BYTES(text) text, sizeof text - 1

static const struct text_case {
    const char *name;
    const char *text;
    size_t length;
    bool is_utf8;
    bool is_printable;
    size_t characters;
} texts[] = {
    {"empty text", BYTES(""), true, true, 0},
    {"ASCII", BYTES("alice"), true, true, 5},
    {"two bytes", BYTES("\xc3\xa9"), true, true, 1},
    {"three bytes", BYTES("\xe2\x82\xac"), true, true, 1},
    {"four bytes", BYTES("\xf0\x9f\x98\x80"), true, true, 1},
    {"lengths mixed", BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), true, true, 5},
    {"U+0020, the first that is no control character", BYTES(" "), true, true, 1},
    {"U+007E, the last before DEL", BYTES("~"), true, true, 1},
    {"U+00A0, the first after C1", BYTES("\xc2\xa0"), true, true, 1},
    {"U+07FF, the last of two bytes", BYTES("\xdf\xbf"), true, true, 1},
    {"U+0800, the first of three bytes", BYTES("\xe0\xa0\x80"), true, true, 1},
    {"U+D7FF, the last before surrogates", BYTES("\xed\x9f\xbf"), true, true, 1},
    {"U+E000, the first after surrogates", BYTES("\xee\x80\x80"), true, true, 1},
    {"U+FFFF, the last of three bytes", BYTES("\xef\xbf\xbf"), true, true, 1},
    {"U+10000, the first of four bytes", BYTES("\xf0\x90\x80\x80"), true, true, 1},
    {"U+10FFFF, the last of all", BYTES("\xf4\x8f\xbf\xbf"), true, true, 1},

    {"U+0000 is a control character", BYTES("a\0b"), true, false, 3},
    {"U+0001 is a control character", BYTES("\x01"), true, false, 1},
    {"a tab is a control character", BYTES("a\tb"), true, false, 3},
    {"a line end is a control character", BYTES("alice\n"), true, false, 6},
    {"U+001F is a control character", BYTES("\x1f"), true, false, 1},
    {"DEL is a control character", BYTES("\x7f"), true, false, 1},
    {"U+0080 is a control character", BYTES("\xc2\x80"), true, false, 1},
    {"U+0085, next line, is a control character", BYTES("a\xc2\x85"), true, false, 2},
    {"U+009F is a control character", BYTES("\xc2\x9f"), true, false, 1},

    {"U+061B, before the Arabic letter mark", BYTES("\xd8\x9b"), true, true, 1},
    {"U+061C, the Arabic letter mark, is a control character", BYTES("a\xd8\x9c"), true, false, 2},
    {"U+061D, after the Arabic letter mark", BYTES("\xd8\x9d"), true, true, 1},
    {"U+200D, a joiner, before the marks", BYTES("\xe2\x80\x8d"), true, true, 1},
    {"U+200E, left-to-right mark, is a control character", BYTES("\xe2\x80\x8e"), true, false, 1},
    {"U+200F, right-to-left mark, is a control character", BYTES("x\xe2\x80\x8f"), true, false, 2},
    {"U+2010, after the marks", BYTES("\xe2\x80\x90"), true, true, 1},
    {"U+2028, a line separator, is a control character", BYTES("\xe2\x80\xa8"), true, false, 1},
    {"U+202A, an embedding, is a control character", BYTES("\xe2\x80\xaa"), true, false, 1},
    {"U+202E, an override, is a control character", BYTES("\xe2\x80\xae"), true, false, 1},
    {"U+2066, an isolate, is a control character", BYTES("\xe2\x81\xa6"), true, false, 1},
    {"U+2069, its end, is a control character", BYTES("\xe2\x81\xa9"), true, false, 1},

    {"a lone continuation byte is not UTF-8", BYTES("a\x80"), false, false, 1},
    {"a last continuation byte too many is not UTF-8", BYTES("\xc3\xa9\xa9"), false, false, 1},
    {"a cut two-byte character is not UTF-8", BYTES("a\xc3"), false, false, 1},
    {"a cut three-byte character is not UTF-8", BYTES("\xe2\x82"), false, false, 0},
    {"a cut four-byte character is not UTF-8", BYTES("\xf0\x9f\x98"), false, false, 0},
    {"a character cut by a letter is not UTF-8", BYTES("\xe2\x82z"), false, false, 0},
    {"an overlong slash is not UTF-8", BYTES("\xc0\xaf"), false, false, 0},
    {"an overlong U+007F is not UTF-8", BYTES("\xc1\xbf"), false, false, 0},
    {"an overlong U+0000 is not UTF-8", BYTES("\xc0\x80"), false, false, 0},
    {"an overlong three-byte form is not UTF-8", BYTES("\xe0\x9f\xbf"), false, false, 0},
    {"an overlong four-byte form is not UTF-8", BYTES("\xf0\x8f\xbf\xbf"), false, false, 0},
    {"U+D800, a surrogate, is not UTF-8", BYTES("\xed\xa0\x80"), false, false, 0},
    {"U+DFFF, a surrogate, is not UTF-8", BYTES("\xed\xbf\xbf"), false, false, 0},
    {"U+110000 is not UTF-8", BYTES("\xf4\x90\x80\x80"), false, false, 0},
    {"0xF5 is not UTF-8", BYTES("\xf5\x80\x80\x80"), false, false, 0},
    {"a five-byte form is not UTF-8", BYTES("\xf8\x88\x80\x80\x80"), false, false, 0},
    {"0xFE is not UTF-8", BYTES("\xfe"), false, false, 0},
    {"0xFF is not UTF-8", BYTES("\xff"), false, false, 0},
    {"Latin-1 is not UTF-8", BYTES("Andr\xe9"), false, false, 4},
};

static void test_text(void **state)
{
    const struct text_case *row = *state;
    char *text = unit_copy(row->text, row->length);

    assert_int_equal(apw_utf8_is_valid(text, row->length), row->is_utf8);
    assert_int_equal(apw_utf8_is_printable(text, row->length), row->is_printable);
    assert_int_equal(apw_utf8_characters(text, row->length), row->characters);
    free(text);
}

static const struct login_case {
    const char *name;
    const char *login;
    size_t length;
    bool is_wellformed;
} logins[] = {
    {"a name is a login", BYTES("alice"), true},
    {"a mail address is a login", BYTES("alice@example.org"), true},
    {"one character is a login", BYTES("a"), true},
    {"letters past ASCII are a login", BYTES("\xc3\xa9lodie"), true},
    {"a space inside is a login", BYTES("alice smith"), true},
    {"a quote and a backslash are a login", BYTES("a\"\\b"), true},
    {"filter characters are a login", BYTES("*)(uid=*"), true},
    {"nothing is no login", BYTES(""), false},
    {"a space is no login", BYTES(" "), false},
    {"spaces are no login", BYTES("   "), false},
    {"a tab is no login", BYTES("\t"), false},
    {"a line end is no login", BYTES("\r\n"), false},
    {"a NUL is no login", BYTES("\0"), false},
    {"a NUL inside is no login", BYTES("alice\0root"), false},
    {"a trailing line end is no login", BYTES("alice\n"), false},
    {"DEL is in no login",
     BYTES("ali\x7f"
           "ce"),
     false},
    {"C1 is in no login",
     BYTES("ali\xc2\x9b"
           "ce"),
     false},
    {"Latin-1 is no login", BYTES("Andr\xe9"), false},
    {"no-break spaces are no login", BYTES("\xc2\xa0\xc2\xa0"), false},
    {"next line is no login", BYTES("\xc2\x85"), false},
    {"an Ogham space is no login", BYTES("\xe1\x9a\x80"), false},
    {"an en quad is no login", BYTES("\xe2\x80\x80"), false},
    {"a figure space is no login", BYTES("\xe2\x80\x87"), false},
    {"a zero-width space is no login", BYTES("\xe2\x80\x8b"), false},
    {"a line separator is no login", BYTES("\xe2\x80\xa8"), false},
    {"a paragraph separator is no login", BYTES("\xe2\x80\xa9"), false},
    {"a narrow no-break space is no login", BYTES("\xe2\x80\xaf"), false},
    {"a mathematical space is no login", BYTES("\xe2\x81\x9f"), false},
    {"an ideographic space is no login", BYTES("\xe3\x80\x80"), false},
    {"a byte order mark is no login", BYTES("\xef\xbb\xbf"), false},
    {"blanks of all sorts are no login", BYTES(" \xc2\xa0\xe3\x80\x80\xef\xbb\xbf "), false},
    {"a letter among blanks is a login",
     BYTES("\xc2\xa0"
           "a\xe3\x80\x80"),
     true},
};

static void test_login(void **state)
{
    const struct login_case *row = *state;
    char *login = unit_copy(row->login, row->length);

    assert_int_equal(apw_login_is_wellformed(login, row->length), row->is_wellformed);
    free(login);
}

static void test_length(void **state)
{
    char *ascii = unit_repeat("a", 256), *wide = unit_repeat("\xe2\x82\xac", 86);

    (void)state;
    assert_true(apw_login_is_wellformed(ascii, 255));
    assert_false(apw_login_is_wellformed(ascii, 256));
    assert_true(apw_login_is_wellformed(wide, 255));
    assert_false(apw_login_is_wellformed(wide, 258));
    free(ascii);
    free(wide);
}

static const struct canonical_case {
    const char *name;
    const char *typed;
    size_t length;
    const char *realm;
    const char *login; /* NULL: refused */
} canonical_cases[] = {
    {"a login stays", BYTES("alice"), NULL, "alice"},
    {"case stays", BYTES("Alice"), NULL, "Alice"},
    {"spaces around are trimmed", BYTES("  alice  "), NULL, "alice"},
    {"tabs and line ends around are trimmed", BYTES("\t\v\f alice\r\n"), NULL, "alice"},
    {"spaces inside stay", BYTES(" alice smith "), NULL, "alice smith"},
    {"a no-break space in front is trimmed",
     BYTES("\xc2\xa0"
           "alice"),
     NULL, "alice"},
    {"a trailing zero-width space is trimmed", BYTES("alice\xe2\x80\x8b"), NULL, "alice"},
    {"a trailing right-to-left mark is trimmed", BYTES("alice\xe2\x80\x8f"), NULL, "alice"},
    {"a trailing line separator is trimmed", BYTES("alice\xe2\x80\xa8"), NULL, "alice"},
    {"next line behind is trimmed", BYTES("alice\xc2\x85"), NULL, "alice"},
    {"a byte-order mark in front is trimmed, then the realm is appended",
     BYTES("\xef\xbb\xbf"
           "alice \xc2\xa0"),
     "example.org", "alice@example.org"},
    {"a variation selector of four bytes is trimmed", BYTES("alice\xf3\xa0\x84\x80"), NULL,
     "alice"},
    {"a soft hyphen inside stays",
     BYTES("ali\xc2\xad"
           "ce"),
     NULL,
     "ali\xc2\xad"
     "ce"},
    {"a letter with an accent at the end stays", BYTES("Zo\xc3\xab"), NULL, "Zo\xc3\xab"},
    {"a cut character at the end is refused", BYTES("alice\xe2\x80"), NULL, NULL},
    {"a cut no-break space is refused",
     BYTES("\xa0"
           "alice"),
     NULL, NULL},
    {"the realm is appended", BYTES("alice"), "example.org", "alice@example.org"},
    {"the realm is appended after the trimmed login", BYTES(" alice "), "example.org",
     "alice@example.org"},
    {"an empty realm is ignored", BYTES("alice"), "", "alice"},
    {"no realm after a domain", BYTES("alice@example.net"), "example.org", "alice@example.net"},
    {"no realm after an @ at the end", BYTES("alice@"), "example.org", "alice@"},
    {"nothing is refused", BYTES(""), NULL, NULL},
    {"nothing is refused with a realm too", BYTES(""), "example.org", NULL},
    {"a space is refused", BYTES(" "), NULL, NULL},
    {"a space is refused with a realm too", BYTES(" "), "example.org", NULL},
    {"an ideographic space is refused with a realm too", BYTES("\xe3\x80\x80"), "example.org",
     NULL},
    {"a trailing NUL is refused, not trimmed", BYTES("alice\0"), NULL, NULL},
    {"a NUL inside is refused", BYTES("ali\0ce"), NULL, NULL},
    {"a line end inside is refused", BYTES("ali\nce"), NULL, NULL},
    {"what is not UTF-8 is refused", BYTES("\xff"), NULL, NULL},
    {"a realm that is not UTF-8 is refused", BYTES("alice"), "\xff", NULL},
    {"a realm with a line end is refused", BYTES("alice"), "example.org\n", NULL},
};

static void test_canonicalize(void **state)
{
    const struct canonical_case *row = *state;
    char *typed = unit_copy(row->typed, row->length);
    char login[APW_LOGIN_SIZE] = "left over";

    assert_int_equal(apw_login_canonicalize(typed, row->length, row->realm, login),
                     row->login != NULL ? 0 : -1);
    assert_string_equal(login, row->login != NULL ? row->login : "");
    free(typed);
}

static void test_canonical_length(void **state)
{
    char *typed = unit_repeat("a", 256), *padded = unit_repeat(" ", 600);
    char login[APW_LOGIN_SIZE];

    (void)state;
    assert_int_equal(apw_login_canonicalize(typed, 255, NULL, login), 0);
    assert_int_equal(strlen(login), 255);
    assert_int_equal(apw_login_canonicalize(typed, 256, NULL, login), -1);
    assert_string_equal(login, "");
    assert_int_equal(apw_login_canonicalize(typed, 243, "example.org", login), 0);
    assert_int_equal(strlen(login), 255);
    assert_int_equal(apw_login_canonicalize(typed, 244, "example.org", login), -1);
    assert_string_equal(login, "");
    memset(padded + 200, 'a', 255);
    assert_int_equal(apw_login_canonicalize(padded, 600, NULL, login), 0);
    assert_int_equal(strlen(login), 255);
    free(typed);
    free(padded);
}

int main(void)
{
    UNIT_ROWS(texts, test_text);
    UNIT_ROWS(logins, test_login);
    UNIT_TEST("255 bytes are a login, 256 are not", test_length);
    UNIT_ROWS(canonical_cases, test_canonicalize);
    UNIT_TEST("a login with its realm has at most 255 bytes", test_canonical_length);
    return unit_run();
}
