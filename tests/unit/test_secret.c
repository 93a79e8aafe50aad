/* SPDX-License-Identifier: BSD-2-Clause */
/* Password files. */
#include "secret.h"
#include "unit.h"
#include <sys/stat.h>

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

/* ---- whole files ---- */

static const struct text_case {
    const char *name;
    const char *text;
    size_t length;
    mode_t mode;
    const char *problem; /* NULL: none */
} texts[] = {
    {"a text of lines", BYTES("one\r\n\ntwo\n"), 0600, NULL},
    {"a text for a group", BYTES("one\n"), 0640, NULL},
    {"a text that others may read is refused", BYTES("one\n"), 0644,
     " has mode 0644: others can read or change it; chmod 0600"},
    {"a text that a group may write is refused", BYTES("one\n"), 0660, " has mode 0660: "},
    {"a text that others may write is refused", BYTES("one\n"), 0602, " has mode 0602: "},
    {"a text with a NUL is refused", BYTES("o\0ne\n"), 0600, ": the file must contain text"},
    {"an empty text is refused", BYTES(""), 0600, ": the file must contain text"},
};

static void test_text(void **state)
{
    const struct text_case *row = *state;
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE], *text;

    unit_write(unit_path("text", path), row->text, row->length);
    assert_int_equal(chmod(path, row->mode), 0);
    assert_int_equal(apw_secret_read_text(path, &text, &error), row->problem == NULL ? 0 : -1);
    if (row->problem == NULL)
        assert_string_equal(text, row->text);
    else
        assert_says(&error, path, row->problem);
    apw_secret_free(&text);
    unlink(path);
}

static void test_text_length(void **state)
{
    char *long_text = unit_repeat("x", APW_SECRET_TEXT_MAX + 10), path[UNIT_PATH_SIZE], *text;

    (void)state;
    unit_path("text", path);
    for (size_t length = APW_SECRET_TEXT_MAX - 1; length <= APW_SECRET_TEXT_MAX + 2; length++) {
        unit_write(path, long_text, length);
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(apw_secret_read_text(path, &text, NULL),
                         length <= APW_SECRET_TEXT_MAX ? 0 : -1);
        apw_secret_free(&text);
    }
    unlink(path);
    assert_int_equal(apw_secret_read_text(path, &text, NULL), -1);
    assert_null(text);
    free(long_text);
}

/* ---- credentials ---- */

/* Writes the file CREDENTIALS/secret with this mode. */
static void write_credential(const char *text, mode_t mode, char path_r[UNIT_PATH_SIZE])
{
    char folder[UNIT_PATH_SIZE];

    mkdir(unit_path("credentials", folder), 0700);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    unit_path("credentials/secret", path_r);
    unlink(path_r);
    unit_write(path_r, text, strlen(text));
    assert_int_equal(chmod(path_r, mode), 0);
}

static void forget_credentials(void)
{
    char path[UNIT_PATH_SIZE];

    unsetenv("CREDENTIALS_DIRECTORY");
    unlink(unit_path("credentials/secret", path));
    rmdir(unit_path("credentials", path));
}

static void assert_reads(const char *path, const char *expected)
{
    struct apw_error error = {""};
    char *secret;

    assert_int_equal(apw_secret_read(path, &secret, &error), expected == NULL ? -1 : 0);
    if (expected != NULL)
        assert_string_equal(secret, expected);
    apw_secret_free(&secret);
}

static void test_credential_wins(void **state)
{
    char path[UNIT_PATH_SIZE], credential[UNIT_PATH_SIZE];

    (void)state;
    unit_write(unit_path("secret", path), BYTES("of the file\n"));
    write_credential("of systemd\n", 0400, credential);
    assert_reads(path, "of systemd");
    assert_reads("/nonexistent/secret", "of systemd");
    forget_credentials();
    assert_reads(path, "of the file");
    assert_reads("/nonexistent/secret", NULL);
}

static void test_credential_of_another_name(void **state)
{
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE], credential[UNIT_PATH_SIZE], *secret;

    (void)state;
    unit_write(unit_path("other", path), BYTES("of the file\n"));
    write_credential("of systemd\n", 0400, credential);
    assert_reads(path, "of the file");
    unlink(path);
    assert_int_equal(apw_secret_read(path, &secret, &error), -1);
    assert_says(&error, path, ": No such file or directory, and no credential \"other\" from");
    forget_credentials();
}

static void test_credentials_without_a_folder(void **state)
{
    char path[UNIT_PATH_SIZE], *long_text = unit_repeat("x", 5000);

    (void)state;
    unit_write(unit_path("secret", path), BYTES("of the file\n"));
    setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
    assert_reads(path, "of the file");
    setenv("CREDENTIALS_DIRECTORY", long_text, 1); /* no folder can have that path */
    assert_reads(path, "of the file");
    free(long_text);
    forget_credentials();
}

/* Not the file, which could be an older one. */
static void test_bad_credential(void **state)
{
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE], credential[UNIT_PATH_SIZE], *secret;

    (void)state;
    unit_write(unit_path("secret", path), BYTES("of the file\n"));
    write_credential("two\nlines\n", 0400, credential);
    assert_int_equal(apw_secret_read(path, &secret, &error), -1);
    assert_says(&error, credential, ": the file must contain one line");
    unlink(credential);
    assert_int_equal(symlink("secret", credential), 0);
    assert_int_equal(apw_secret_read(path, &secret, &error), -1);
    assert_says(&error, credential, ": Too many levels of symbolic links");
    forget_credentials();
}

static const struct mode_case {
    const char *name;
    mode_t mode;
    bool is_good;
} modes[] = {
    {"a credential of the service's user", 0400, true},
    {"a credential that an ACL opens to the service's user", 0440, true},
    {"a credential that others may read is refused", 0444, false},
};

static void test_credential_mode(void **state)
{
    const struct mode_case *row = *state;
    struct apw_error error = {""};
    char credential[UNIT_PATH_SIZE], *text;

    write_credential("of systemd\n", row->mode, credential);
    assert_int_equal(apw_secret_read_text("/nonexistent/secret", &text, &error),
                     row->is_good ? 0 : -1);
    if (!row->is_good)
        assert_says(&error, credential, ": others can read or change it");
    apw_secret_free(&text);
    forget_credentials();
}

int main(void)
{
    UNIT_ROWS(texts, test_text);
    UNIT_TEST("a text has at most 16 KiB", test_text_length);
    UNIT_ROWS(secrets, test_secret);
    UNIT_TEST("a password has at most 1024 bytes", test_length);
    UNIT_ROWS(stray_cases, test_stray);
    UNIT_TEST("a mark and a line end do not count", test_mark_and_length);
    UNIT_TEST("a missing password file is an error", test_missing);
    UNIT_TEST("a credential wins over the file of its name", test_credential_wins);
    UNIT_TEST("a credential of another name is ignored", test_credential_of_another_name);
    UNIT_TEST("a folder of credentials may be missing", test_credentials_without_a_folder);
    UNIT_TEST("a credential that cannot be used is an error", test_bad_credential);
    UNIT_ROWS(modes, test_credential_mode);
    return unit_run();
}
