/* SPDX-License-Identifier: BSD-2-Clause */
/* App passwords as text: the check symbol, accepted ways to type them, other texts. */
#include "password.h"
#include "unit.h"
#include <locale.h>
#include <sodium.h>

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Nineteen times each symbol, worked out by hand: with 0 to v, ten doubled and nine plain. */
static const char checks_of_repeated[] = "0369cfjnrvy147ad69cfjnrvy147adgk";

static const struct check_case {
    const char *name;
    const char *symbols;
    char check;
} checks[] = {
    {"nineteen times 0 has check 0", "0000000000000000000", '0'},
    {"nineteen times z has check k", "zzzzzzzzzzzzzzzzzzz", 'k'},
    {"a1b2c3d4e5f6g7h8j9k has check d", "a1b2c3d4e5f6g7h8j9k", 'd'},
    {"0123456789abcdefghj has check s", "0123456789abcdefghj", 's'},
    {"k7q29fjdx3mh4tnzp8w has check w", "k7q29fjdx3mh4tnzp8w", 'w'},
    {"u has no check", "000000000000000000u", 0},
    {"upper case has no check", "A000000000000000000", 0},
};

static void test_check(void **state)
{
    const struct check_case *row = *state;

    assert_int_equal(apw_password_check_symbol(row->symbols), row->check);
}

static void test_check_of_each_symbol(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        char symbols[APW_PASSWORD_LENGTH + 1];
        struct apw_password password;

        memset(symbols, alphabet[i], APW_PASSWORD_LENGTH - 1);
        symbols[APW_PASSWORD_LENGTH - 1] = checks_of_repeated[i];
        symbols[APW_PASSWORD_LENGTH] = '\0';
        assert_int_equal(apw_password_check_symbol(symbols), checks_of_repeated[i]);
        assert_true(apw_password_recognize(symbols, APW_PASSWORD_LENGTH, &password));
        assert_string_equal(password.symbols, symbols);
    }
}

static const struct typed_case {
    const char *name;
    const char *typed;
    const char *canonical; /* NULL: no app password */
} typed_cases[] = {
    {"as shown", UNIT_SHOWN, UNIT_PASSWORD},
    {"without hyphens", UNIT_PASSWORD, UNIT_PASSWORD},
    {"upper case", "K7Q2-9FJD-X3MH-4TNZ-P8WW", UNIT_PASSWORD},
    {"mixed case", "k7Q2-9fJd-x3Mh-4tNz-P8wW", UNIT_PASSWORD},
    {"spaces for hyphens", "k7q2 9fjd x3mh 4tnz p8ww", UNIT_PASSWORD},
    {"spaces around", "  " UNIT_SHOWN "  ", UNIT_PASSWORD},
    {"hyphens anywhere", "-k-7q29fjdx3mh4tnzp8w--w-", UNIT_PASSWORD},
    {"U+2010 hyphens",
     "k7q2\xe2\x80\x90"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2011 non-breaking hyphens",
     "k7q2\xe2\x80\x91"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2012 figure dashes",
     "k7q2\xe2\x80\x92"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2013 en dashes",
     "k7q2\xe2\x80\x93"
     "9fjd\xe2\x80\x93x3mh\xe2\x80\x93"
     "4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2014 em dashes",
     "k7q2\xe2\x80\x94"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2015 horizontal bars",
     "k7q2\xe2\x80\x95"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+2212 minus signs",
     "k7q2\xe2\x88\x92"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+00A0 no-break spaces",
     "\xc2\xa0k7q2\xc2\xa0"
     "9fjdx3mh4tnzp8ww\xc2\xa0",
     UNIT_PASSWORD},
    {"U+2007 figure spaces",
     "k7q2\xe2\x80\x87"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+202F narrow no-break spaces",
     "k7q2\xe2\x80\xaf"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"a line end between groups", "k7q2\n9fjdx3mh4tnzp8ww", UNIT_PASSWORD},
    {"CR LF at the end", UNIT_SHOWN "\r\n", UNIT_PASSWORD},
    {"U+200B zero-width spaces",
     "k7q2\xe2\x80\x8b"
     "9fjdx3mh4tnzp8ww\xe2\x80\x8b",
     UNIT_PASSWORD},
    {"U+00AD soft hyphens",
     "k7q2\xc2\xad"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+0085 next line at the end", UNIT_SHOWN "\xc2\x85", UNIT_PASSWORD},
    {"U+2028 a line separator at the end", UNIT_SHOWN "\xe2\x80\xa8", UNIT_PASSWORD},
    {"U+2029 a paragraph separator in front", "\xe2\x80\xa9" UNIT_SHOWN, UNIT_PASSWORD},
    {"U+200E and U+200F marks of direction around", "\xe2\x80\x8e" UNIT_SHOWN "\xe2\x80\x8f",
     UNIT_PASSWORD},
    {"U+202A and U+202C embedding around", "\xe2\x80\xaa" UNIT_SHOWN "\xe2\x80\xac", UNIT_PASSWORD},
    {"U+2060 word joiners",
     "k7q2\xe2\x81\xa0"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+3000 ideographic spaces",
     "k7q2\xe3\x80\x80"
     "9fjdx3mh4tnzp8ww",
     UNIT_PASSWORD},
    {"U+FEFF a byte-order mark in front", "\xef\xbb\xbf" UNIT_SHOWN, UNIT_PASSWORD},
    {"U+FE0F a variation selector at the end", UNIT_SHOWN "\xef\xb8\x8f", UNIT_PASSWORD},
    {"U+E0020 a tag at the end", UNIT_SHOWN "\xf3\xa0\x80\xa0", UNIT_PASSWORD},
    {"U+180E a Mongolian vowel separator", UNIT_SHOWN "\xe1\xa0\x8e", UNIT_PASSWORD},
    {"o for 0", "o123-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},
    {"O for 0", "O123-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},
    {"i for 1", "0i23-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},
    {"I for 1", "0I23-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},
    {"l for 1", "0l23-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},
    {"L for 1", "0L23-4567-89ab-cdef-ghjs", "0123456789abcdefghjs"},

    {"nothing is no app password", "", NULL},
    {"a bell does not separate", "k7q2\a9fjdx3mh4tnzp8ww", NULL},
    {"U+0301, an accent, does not separate",
     "k7q2\xcc\x81"
     "9fjdx3mh4tnzp8ww",
     NULL},
    {"hyphens alone are no app password", "----", NULL},
    {"19 symbols are no app password", "k7q29fjdx3mh4tnzp8w", NULL},
    {"21 symbols are no app password", UNIT_PASSWORD "0", NULL},
    {"two app passwords are not one", UNIT_PASSWORD UNIT_PASSWORD, NULL},
    {"a wrong check symbol is no app password", "k7q29fjdx3mh4tnzp8wx", NULL},
    {"two wrong symbols are no app password, though the last is one", "k7q2!9fjdx3mh4tnzp8w!",
     NULL},
    {"nor in place of two symbols", "k7q2!fjdx3mh4tnzp8w!", NULL},
    {"u is no symbol", "u7q29fjdx3mh4tnzp8ww", NULL},
    {"U is no symbol", "U7q29fjdx3mh4tnzp8ww", NULL},
    {"an underscore does not separate", "k7q2_9fjdx3mh4tnzp8ww", NULL},
    {"a dot does not separate", "k7q2.9fjdx3mh4tnzp8ww", NULL},
    {"U+2016 does not separate",
     "k7q2\xe2\x80\x96"
     "9fjdx3mh4tnzp8ww",
     NULL},
    {"U+00A1 does not separate",
     "k7q2\xc2\xa1"
     "9fjdx3mh4tnzp8ww",
     NULL},
    {"U+2211 does not separate",
     "k7q2\xe2\x88\x91"
     "9fjdx3mh4tnzp8ww",
     NULL},
    {"the first byte of a no-break space at the end", UNIT_PASSWORD "\xc2", NULL},
    {"two bytes of an en dash at the end", UNIT_PASSWORD "\xe2\x80", NULL},
    {"an overlong hyphen does not separate",
     "k7q2\xc0\xad"
     "9fjdx3mh4tnzp8ww",
     NULL},
    {"U+0131, dotless i, is not 1",
     "0\xc4\xb1"
     "23456789abcdefghjs",
     NULL},
    {"U+0130, dotted I, is not 1",
     "0\xc4\xb0"
     "23456789abcdefghjs",
     NULL},
    {"U+212A, the Kelvin sign, is not k",
     "\xe2\x84\xaa"
     "7q29fjdx3mh4tnzp8ww",
     NULL},
    {"U+017F, long s, is not s", "0123456789abcdefghj\xc5\xbf", NULL},
    {"U+FF11, full-width 1, is not 1",
     "0\xef\xbc\x91"
     "23456789abcdefghjs",
     NULL},
};

static void test_typed(void **state)
{
    const struct typed_case *row = *state;
    size_t length = strlen(row->typed);
    char *typed = unit_copy(row->typed, length);
    struct apw_password password;

    memset(&password, 0xaa, sizeof password);
    assert_int_equal(apw_password_recognize(typed, length, &password), row->canonical != NULL);
    if (row->canonical != NULL)
        assert_string_equal(password.symbols, row->canonical);
    else
        assert_true(unit_is_zero(&password, sizeof password));
    free(typed);
}

static const struct shown_case {
    const char *name;
    const char *typed;
    bool is_shown;
} shown_cases[] = {
    {"as it is shown", UNIT_SHOWN, true},
    {"another one as it is shown", "0123-4567-89ab-cdef-ghjs", true},
    {"no hyphens is not as shown", UNIT_PASSWORD, false},
    {"a capital is not as shown", "K7q2-9fjd-x3mh-4tnz-p8ww", false},
    {"spaces are not as shown", "k7q2 9fjd x3mh 4tnz p8ww", false},
    {"a space in front is not as shown", " " UNIT_SHOWN, false},
    {"a trailing space is not as shown", UNIT_SHOWN " ", false},
    {"a trailing hyphen is not as shown", UNIT_SHOWN "-", false},
    {"o for 0 is not as shown", "o123-4567-89ab-cdef-ghjs", false},
    {"l for 1 is not as shown", "0l23-4567-89ab-cdef-ghjs", false},
    {"another check symbol is not as shown", "k7q2-9fjd-x3mh-4tnz-p8wx", false},
    {"a hyphen elsewhere is not as shown", "k7q-29fjd-x3mh-4tnz-p8ww", false},
    {"one hyphen missing and one twice is not as shown", "k7q29fjd-x3mh--4tnz-p8ww", false},
    {"a dash is not as shown",
     "k7q2\xe2\x80\x90"
     "9fjd-x3mh-4tnz-p8ww",
     false},
    {"nothing is not as shown", "", false},
    {"hyphens alone are not as shown", "----", false},
    {"two of them are not as shown", UNIT_SHOWN UNIT_SHOWN, false},
};

static void test_shown(void **state)
{
    const struct shown_case *row = *state;
    size_t length = strlen(row->typed);
    char *typed = unit_copy(row->typed, length);

    assert_int_equal(apw_password_is_as_shown(typed, length), row->is_shown);
    free(typed);
}

static void test_nul_is_not_shown(void **state)
{
    (void)state;
    assert_false(apw_password_is_as_shown(UNIT_SHOWN, sizeof UNIT_SHOWN));
    assert_false(apw_password_is_as_shown("k7q2-9fjd\0x3mh-4tnz-p8ww", sizeof UNIT_SHOWN - 1));
}

static void test_nul(void **state)
{
    struct apw_password password;

    (void)state;
    assert_false(apw_password_recognize(UNIT_PASSWORD, APW_PASSWORD_LENGTH + 1, &password));
    assert_false(
        apw_password_recognize(UNIT_PASSWORD "\0more", APW_PASSWORD_LENGTH + 5, &password));
    assert_false(apw_password_recognize("k7q2\0"
                                        "9fjdx3mh4tnzp8ww",
                                        APW_PASSWORD_LENGTH + 1, &password));
}

/* The symbol for each of the 256 bytes, independent of isalpha(), tolower() and the locale. */
static const char *const taken_for[32] = {
    "0oO", "1iIlL", "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "aA",
    "bB",  "cC",    "dD", "eE", "fF", "gG", "hH", "jJ", "kK", "mM", "nN",
    "pP",  "qQ",    "rR", "sS", "tT", "vV", "wW", "xX", "yY", "zZ",
};

static void test_every_byte(void **state)
{
    const char *locale = *state;

    if (setlocale(LC_ALL, locale) == NULL)
        print_message("no locale %s here, tried with %s\n", locale, setlocale(LC_ALL, NULL));
    for (size_t symbol = 0; symbol < 32; symbol++)
        for (int byte = 0; byte < 256; byte++) {
            char typed[APW_PASSWORD_LENGTH + 1] = UNIT_PASSWORD;
            struct apw_password password;
            bool is_taken = byte != 0 && strchr(taken_for[symbol], byte) != NULL;

            typed[0] = alphabet[symbol];
            typed[APW_PASSWORD_LENGTH - 1] = apw_password_check_symbol(typed);
            typed[0] = (char)byte;
            assert_int_equal(apw_password_recognize(typed, APW_PASSWORD_LENGTH, &password),
                             is_taken);
            if (is_taken)
                assert_int_equal(password.symbols[0], alphabet[symbol]);
        }
    setlocale(LC_ALL, "C");
}

static const char *const samples[] = {UNIT_PASSWORD, "00000000000000000000", "0123456789abcdefghjs",
                                      "a1b2c3d4e5f6g7h8j9kd"};

static void test_single_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(samples); i++)
        for (size_t at = 0; at < APW_PASSWORD_LENGTH; at++)
            for (size_t symbol = 0; symbol < 32; symbol++) {
                char typed[APW_PASSWORD_LENGTH + 1];
                struct apw_password password;

                strcpy(typed, samples[i]);
                typed[at] = alphabet[symbol];
                assert_int_equal(apw_password_recognize(typed, APW_PASSWORD_LENGTH, &password),
                                 typed[at] == samples[i][at]);
            }
}

/* Luhn's one blind spot is the first symbol beside the last. */
static void test_transpositions(void **state)
{
    (void)state;
    for (size_t at = 0; at < APW_PASSWORD_LENGTH - 2; at++)
        for (size_t left = 0; left < 32; left++)
            for (size_t right = 0; right < 32; right++) {
                char typed[APW_PASSWORD_LENGTH + 1] = UNIT_PASSWORD;
                bool is_blind = left == right || (left % 31 == 0 && right % 31 == 0);
                struct apw_password password;

                typed[at] = alphabet[left];
                typed[at + 1] = alphabet[right];
                typed[APW_PASSWORD_LENGTH - 1] = apw_password_check_symbol(typed);
                typed[at] = alphabet[right];
                typed[at + 1] = alphabet[left];
                assert_int_equal(apw_password_recognize(typed, APW_PASSWORD_LENGTH, &password),
                                 is_blind);
            }
}

#define MADE 2000

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void test_make(void **state)
{
    static struct apw_password made[MADE];
    size_t seen[APW_PASSWORD_LENGTH] = {0};

    (void)state;
    for (size_t i = 0; i < MADE; i++) {
        char shown[APW_PASSWORD_SHOWN_SIZE];
        struct apw_password again;

        apw_password_make(&made[i]);
        assert_int_equal(strlen(made[i].symbols), APW_PASSWORD_LENGTH);
        assert_int_equal(strspn(made[i].symbols, alphabet), APW_PASSWORD_LENGTH);
        apw_password_show(&made[i], shown);
        assert_true(apw_password_recognize(shown, strlen(shown), &again));
        assert_string_equal(again.symbols, made[i].symbols);
        for (size_t at = 0; at < APW_PASSWORD_LENGTH; at++)
            seen[at] += made[i].symbols[at] == '0';
    }
    /* 2000/32 = 62 of each symbol in each place: none at all would be one chance in 10^27. */
    for (size_t at = 0; at < APW_PASSWORD_LENGTH; at++)
        assert_in_range(seen[at], 1, MADE / 8);
    qsort(made, MADE, sizeof made[0], compare);
    for (size_t i = 1; i < MADE; i++)
        assert_string_not_equal(made[i - 1].symbols, made[i].symbols);
}

static void test_show(void **state)
{
    const struct apw_password password = {UNIT_PASSWORD};
    char shown[APW_PASSWORD_SHOWN_SIZE], id[APW_ID_LENGTH + 1];

    (void)state;
    apw_password_show(&password, shown);
    assert_string_equal(shown, UNIT_SHOWN);
    apw_password_id(&password, id);
    assert_string_equal(id, "k7q2");
}

static const struct login_case {
    const char *name;
    const char *login;
    bool is_password;
} logins[] = {
    {"an app password as a login", UNIT_SHOWN, true},
    {"an app password with a trailing realm", UNIT_SHOWN "@example.org", true},
    {"an app password with an @ behind", UNIT_PASSWORD "@", true},
    {"an app password with spaces and a realm", " k7q2 9fjd x3mh 4tnz p8ww @a@b", true},
    {"a name is no app password", "alice", false},
    {"a mail address is no app password", "alice@example.org", false},
    {"an app password as a domain is a login", "alice@" UNIT_PASSWORD, false},
    {"an empty login is no app password", "", false},
    {"an @ is no app password", "@", false},
};

static void test_login(void **state)
{
    const struct login_case *row = *state;
    size_t length = strlen(row->login);
    char *login = unit_copy(row->login, length);

    assert_int_equal(apw_password_is_login(login, length), row->is_password);
    free(login);
}

static const struct id_case {
    const char *name;
    const char *text;
    bool is_id;
} ids[] = {
    {"four symbols are an id", "k7q2", true},
    {"four zeros are an id", "0000", true},
    {"three symbols are no id", "k7q", false},
    {"five symbols are no id", "k7q29", false},
    {"nothing is no id", "", false},
    {"upper case is no id", "K7Q2", false},
    {"o is not stored for 0", "o7q2", false},
    {"i is not stored for 1", "i7q2", false},
    {"l is not stored for 1", "l7q2", false},
    {"u is in no id", "u7q2", false},
    {"a hyphen is in no id", "k7-2", false},
    {"bytes past ASCII are in no id", "k7\xc3\xa4", false},
};

static void test_id(void **state)
{
    const struct id_case *row = *state;

    assert_int_equal(apw_password_is_id(row->text, strlen(row->text)), row->is_id);
}

static const struct typed_id_case {
    const char *name; /* as typed */
    const char *id;   /* NULL: none */
} typed_ids[] = {
    {"k7q2", "k7q2"}, {"K7Q2", "k7q2"}, {"oOiL", "0011"}, {"0011", "0011"}, {"zzzz", "zzzz"},
    {"", NULL},       {"k7q", NULL},    {"k7q29", NULL},  {"k7qu", NULL},   {"u7q2", NULL},
    {"k-q2", NULL},   {"k7 2", NULL},   {"!!!!", NULL},   {"k7q!", NULL},
};

static void test_typed_id(void **state)
{
    const struct typed_id_case *row = *state;
    char id[] = "before";

    assert_int_equal(apw_password_id_canonicalize(row->name, id), row->id != NULL ? 0 : -1);
    if (row->id != NULL)
        assert_string_equal(id, row->id);
}

static void test_nul_in_id(void **state)
{
    (void)state;
    assert_false(apw_password_is_id("k7q\0", 4));
    assert_false(apw_password_is_id("\0\0\0\0", 4));
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(checks, test_check);
    UNIT_TEST("each of the 32 symbols counts as it should", test_check_of_each_symbol);
    UNIT_ROWS(typed_cases, test_typed);
    UNIT_TEST("a NUL makes no app password", test_nul);
    UNIT_ROWS(shown_cases, test_shown);
    UNIT_TEST("a NUL is not as shown", test_nul_is_not_shown);
    unit_add("every byte is taken for one symbol or none, in C", test_every_byte, "C");
    unit_add("every byte is taken for one symbol or none, in C.UTF-8", test_every_byte, "C.UTF-8");
    unit_add("every byte is taken for one symbol or none, in Turkish", test_every_byte,
             "tr_TR.UTF-8");
    unit_add("every byte is taken for one symbol or none, in Latin-5", test_every_byte,
             "tr_TR.ISO-8859-9");
    UNIT_TEST("every single wrong symbol is caught", test_single_errors);
    UNIT_TEST("every swap of neighbors but 0 with z is caught", test_transpositions);
    UNIT_TEST("made app passwords are well-formed and distinct", test_make);
    UNIT_TEST("an app password is shown in groups, its id in front", test_show);
    UNIT_ROWS(logins, test_login);
    UNIT_ROWS(ids, test_id);
    UNIT_ROWS(typed_ids, test_typed_id);
    UNIT_TEST("a NUL is in no id", test_nul_in_id);
    return unit_run();
}
