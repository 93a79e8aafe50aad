/* SPDX-License-Identifier: BSD-2-Clause */
/* QR codes as a path, which the test draws again, module by module. */
#include "qr.h"
#include "unit.h"
#include <qrencode.h>

#define URI                                                                                        \
    "otpauth://totp/mail.example.org:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"                \
    "&issuer=mail.example.org"
#define QUIET          4
#define SIZE_MAX_UNITS (177 + 2 * QUIET) /* version 40 */

static bool square[SIZE_MAX_UNITS][SIZE_MAX_UNITS];

/* Draws "M<x> <y>h<width>v1h-<width>z" again and again; nothing else may be there, nothing twice
 * and nothing outside. */
static void draw(const char *path, int size)
{
    memset(square, 0, sizeof square);
    assert_in_range(size, 1, SIZE_MAX_UNITS);
    while (*path != '\0') {
        int x, y, width, back, length = 0;

        assert_int_equal(sscanf(path, "M%d %dh%dv1h-%dz%n", &x, &y, &width, &back, &length), 4);
        assert_true(length > 0);
        assert_int_equal(width, back);
        assert_true(x >= QUIET && width > 0 && x + width <= size - QUIET);
        assert_true(y >= QUIET && y < size - QUIET);
        for (int i = 0; i < width; i++) {
            assert_false(square[y][x + i]);
            square[y][x + i] = true;
        }
        path += length;
    }
}

static void make(const char *text, int *size_r)
{
    struct apw_buffer path = {NULL, 0, 0, false};

    assert_int_equal(apw_qr_path(text, &path, size_r), 0);
    assert_int_equal(strlen(path.bytes), path.length);
    assert_int_equal(strspn(path.bytes, "Mhvz0123456789- "), path.length);
    draw(path.bytes, *size_r);
    apw_buffer_free(&path);
}

/* A finder pattern (ISO/IEC 18004, 6.3.3.1) with its light border, at the corner x, y. */
static void assert_finder(int x, int y)
{
    for (int dy = -1; dy <= 7; dy++)
        for (int dx = -1; dx <= 7; dx++) {
            bool is_inside = dx >= 0 && dx <= 6 && dy >= 0 && dy <= 6;
            bool is_frame = is_inside && (dx == 0 || dx == 6 || dy == 0 || dy == 6);
            bool is_eye = dx >= 2 && dx <= 4 && dy >= 2 && dy <= 4;

            assert_int_equal(square[y + dy][x + dx], is_frame || is_eye);
        }
}

static const struct text_case {
    const char *name;
    const char *text;
} texts[] = {
    {"one letter", "a"},
    {"a URI for an authenticator app", URI},
    {"text past ASCII", "bl\xc3\xa5 b\xc3\xa6r"},
};

static void test_structure(void **state)
{
    const struct text_case *row = *state;
    int size, far;

    make(row->text, &size);
    assert_int_equal((size - 2 * QUIET - 17) % 4, 0);
    far = size - QUIET - 7;
    assert_finder(QUIET, QUIET);
    assert_finder(far, QUIET);
    assert_finder(QUIET, far);
    for (int i = 8; i < size - 2 * QUIET - 8; i++) { /* timing patterns */
        assert_int_equal(square[QUIET + 6][QUIET + i], i % 2 == 0);
        assert_int_equal(square[QUIET + i][QUIET + 6], i % 2 == 0);
    }
    assert_true(square[far - 1][QUIET + 8]); /* the module that is always dark */
}

/* The path has every module of the library's own code, and no other. */
static void test_modules(void **state)
{
    const struct text_case *row = *state;
    QRcode *code = QRcode_encodeString8bit(row->text, 0, QR_ECLEVEL_M);
    int size;

    make(row->text, &size);
    assert_non_null(code);
    assert_int_equal(size, code->width + 2 * QUIET);
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            assert_int_equal(square[y + QUIET][x + QUIET], code->data[y * code->width + x] & 1);
    QRcode_free(code);
}

static void test_longest(void **state)
{
    char *text = unit_repeat("a", 3000);
    struct apw_buffer path = {NULL, 0, 0, false};
    int size = 0;

    (void)state;
    assert_int_equal(apw_qr_path(text, &path, &size), -1);
    assert_int_equal(path.length, 0);
    text[2331] = '\0'; /* what version 40 holds at level M */
    assert_int_equal(apw_qr_path(text, &path, &size), 0);
    draw(path.bytes, size);
    assert_int_equal(size, SIZE_MAX_UNITS);
    apw_buffer_free(&path);
    assert_int_equal(apw_qr_path("", &path, &size), -1);
    apw_buffer_free(&path);
    free(text);
}

static void test_append(void **state)
{
    struct apw_buffer path = {NULL, 0, 0, false};
    int size;

    (void)state;
    apw_buffer_add_string(&path, "as it was:");
    assert_int_equal(apw_qr_path("a", &path, &size), 0);
    assert_int_equal(strncmp(path.bytes, "as it was:M4 4h7", 16), 0);
    apw_buffer_free(&path);
    path.is_broken = true;
    assert_int_equal(apw_qr_path("a", &path, &size), -1);
    apw_buffer_free(&path);
}

int main(void)
{
    UNIT_ROWS(texts, test_structure);
    UNIT_ROWS(texts, test_modules);
    UNIT_TEST("the longest text fits, a longer one is refused", test_longest);
    UNIT_TEST("a path is appended", test_append);
    return unit_run();
}
