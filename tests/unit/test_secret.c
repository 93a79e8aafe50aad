/* SPDX-License-Identifier: BSD-2-Clause */
/* Password files. */
#include "secret.h"
#include "unit.h"

#define BYTES(text) text, sizeof text - 1

static void assert_says(const struct apw_error *error, const char *path, const char *problem)
{
    assert_memory_equal(error->text, path, strlen(path));
    assert_contains(error->text, problem);
}

static const struct secret_case {
    const char *name;
    const char *text;
    size_t length;
    const char *secret; /* NULL: it is rejected */
} secrets[] = {
    {"a password", BYTES("secret\n"), "secret"},
    {"a password without a line end", BYTES("secret"), "secret"},
    {"a password with CRLF", BYTES("secret\r\n"), "secret"},
    {"a byte-order mark in front is not part of it", BYTES("\xef\xbb\xbfsecret\r\n"), "secret"},
    {"a byte-order mark elsewhere is", BYTES("s\xef\xbb\xbf\n"), "s\xef\xbb\xbf"},
    {"one of two byte-order marks is", BYTES("\xef\xbb\xbf\xef\xbb\xbf"), "\xef\xbb\xbf"},
    {"a byte-order mark alone is refused", BYTES("\xef\xbb\xbf\n"), NULL},
    {"spaces belong to a password", BYTES(" secret \n"), " secret "},
    {"bytes outside ASCII belong to a password", BYTES("\xff\x01\n"), "\xff\x01"},
    {"an empty file is refused", BYTES(""), NULL},
    {"an empty line is refused", BYTES("\n"), NULL},
    {"an empty CRLF line is refused", BYTES("\r\n"), NULL},
    {"two lines are refused", BYTES("secret\nmore\n"), NULL},
    {"an empty line after the password is refused", BYTES("secret\n\n"), NULL},
    {"a NUL in a password is refused", BYTES("sec\0ret\n"), NULL},
};

static void test_secret(void **state)
{
    const struct secret_case *row = *state;
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE], *secret;

    unit_write(unit_path("secret", path), row->text, row->length);
    assert_int_equal(apw_secret_read(path, &secret, &error), row->secret != NULL ? 0 : -1);
    if (row->secret != NULL)
        assert_string_equal(secret, row->secret);
    else
        assert_says(&error, path,
                    ": the file must contain one line, the password, of 1 to 1024 bytes");
    apw_secret_free(&secret);
    assert_null(secret);
}

static void test_length(void **state)
{
    char *text = unit_repeat("x", 5000), path[UNIT_PATH_SIZE], *secret;

    (void)state;
    unit_path("secret", path);
    for (size_t length = 1023; length <= 1030; length++) {
        unit_write(path, text, length);
        assert_int_equal(apw_secret_read(path, &secret, NULL), length <= 1024 ? 0 : -1);
        apw_secret_free(&secret);
        text[length] = '\n';
        unit_write(path, text, length + 1);
        assert_int_equal(apw_secret_read(path, &secret, NULL), length <= 1024 ? 0 : -1);
        text[length] = 'x';
        apw_secret_free(&secret);
    }
    unit_write(path, text, 5000);
    assert_int_equal(apw_secret_read(path, &secret, NULL), -1);
    free(text);
}

static void test_mark_and_length(void **state)
{
    char *text = unit_repeat("x", 2000), path[UNIT_PATH_SIZE], *secret;

    (void)state;
    unit_path("secret", path);
    memcpy(text, "\xef\xbb\xbf", 3);
    for (size_t length = 1023; length <= 1030; length++) {
        memcpy(text + 3 + length, "\r\n", 2);
        unit_write(path, text, 3 + length + 2);
        assert_int_equal(apw_secret_read(path, &secret, NULL), length <= 1024 ? 0 : -1);
        if (secret != NULL)
            assert_int_equal(strlen(secret), length);
        memcpy(text + 3 + length, "xx", 2);
        apw_secret_free(&secret);
    }
    free(text);
}

static const struct stray_case {
    const char *name;
    const char *secret;
    const char *stray; /* NULL: nothing */
} stray_cases[] = {
    {"nothing is stray in a word", "secret", NULL},
    {"nor inside",
     "se cr\xc2\xa0"
     "et",
     NULL},
    {"a trailing space", "secret ", "ends in"},
    {"a trailing CR", "secret\r", "ends in"},
    {"a trailing zero-width space", "secret\xe2\x80\x8b", "ends in"},
    {"a tab in front", "\tsecret", "begins with"},
    {"a second byte-order mark", "\xef\xbb\xbfsecret", "begins with"},
};

static void test_stray(void **state)
{
    const struct stray_case *row = *state;
    const char *stray = apw_secret_stray(row->secret);

    if (row->stray == NULL)
        assert_null(stray);
    else
        assert_contains(stray, row->stray);
}

static void test_missing(void **state)
{
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE], *secret;

    (void)state;
    assert_int_equal(apw_secret_read(unit_path("none", path), &secret, &error), -1);
    assert_null(secret);
    assert_says(&error, path, ": No such file");
}

int main(void)
{
    UNIT_ROWS(secrets, test_secret);
    UNIT_TEST("a password has at most 1024 bytes", test_length);
    UNIT_ROWS(stray_cases, test_stray);
    UNIT_TEST("a mark and a line end do not count", test_mark_and_length);
    UNIT_TEST("a missing password file is an error", test_missing);
    return unit_run();
}
