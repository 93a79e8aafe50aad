/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit: shared by the unit tests.
 *
 * A test is a function, or a function and one row of a table. Its name is a sentence. A row begins
 * with `const char *name`; the function gets it as *state.
 */
#ifndef APW_UNIT_H
#define APW_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define UNIT_HAS_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define UNIT_HAS_ASAN 1
#endif
#endif

#ifdef UNIT_HAS_ASAN
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

/* Valgrind is some twenty times slower and has its own allocator. */
static inline bool unit_is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* An app password and its hash, from argon2's reference implementation at the lowest cost. */
#define UNIT_PASSWORD "k7q29fjdx3mh4tnzp8ww"
#define UNIT_SHOWN    "k7q2-9fjd-x3mh-4tnz-p8ww"
#define UNIT_SALT     "c2l4dGVlbiBieXRlcyBvaw"
#define UNIT_OUTPUT   "VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0"
#define UNIT_PHC      "$argon2id$v=19$m=8,t=1,p=1$" UNIT_SALT "$" UNIT_OUTPUT

#define UNIT_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- tests ---- */

#define UNIT_TESTS_MAX 1024
static struct CMUnitTest unit_tests[UNIT_TESTS_MAX];
static size_t unit_test_count;

static inline void unit_add(const char *name, CMUnitTestFunction run, const void *row)
{
    if (unit_test_count == UNIT_TESTS_MAX)
        abort();
    unit_tests[unit_test_count++] =
        (struct CMUnitTest){.name = name, .test_func = run, .initial_state = (void *)row};
}

static inline void unit_add_rows(const void *rows, size_t count, size_t size,
                                 CMUnitTestFunction run)
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * size;

        unit_add(*(const char *const *)row, run, row);
    }
}

#define UNIT_TEST(name, run) unit_add(name, run, NULL)
#define UNIT_ROWS(rows, run) unit_add_rows(rows, UNIT_COUNT(rows), sizeof(rows)[0], run)

/* Runs all tests; returns main()'s status. */
static inline int unit_run(void)
{
    return _cmocka_run_group_tests("unit", unit_tests, unit_test_count, NULL, NULL) == 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (strstr(text, part) == NULL)                                                            \
            fail_msg("\"%s\" does not contain \"%s\"", text, part);                                \
    } while (0)

/* ---- bytes ---- */

/* A heap copy of exactly `length` bytes: a sanitizer sees reads past its end. The caller frees it.
 */
static inline char *unit_copy(const char *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, bytes, length);
    return copy;
}

/* `text` repeated `count` times, with a NUL. The caller frees it. */
static inline char *unit_repeat(const char *text, size_t count)
{
    size_t length = strlen(text);
    char *repeated = malloc(length * count + 1);

    if (repeated == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        memcpy(repeated + i * length, text, length);
    repeated[length * count] = '\0';
    return repeated;
}

static inline bool unit_is_zero(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < length; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* ---- files ---- */

#define UNIT_PATH_SIZE 512
static char unit_folder_path[UNIT_PATH_SIZE - 64];

static inline void unit_remove_folder(void)
{
    DIR *folder = opendir(unit_folder_path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(unit_folder_path);
}

/* The path of `name` in a new folder below TMPDIR; the program removes the folder at exit. */
static inline const char *unit_path(const char *name, char path_r[UNIT_PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");

    if (unit_folder_path[0] == '\0') {
        snprintf(unit_folder_path, sizeof unit_folder_path, "%s/apw-unit-XXXXXX",
                 parent != NULL && *parent != '\0' ? parent : "/tmp");
        if (mkdtemp(unit_folder_path) == NULL)
            abort();
        atexit(unit_remove_folder);
    }
    snprintf(path_r, UNIT_PATH_SIZE, "%s/%s", unit_folder_path, name);
    return path_r;
}

static inline void unit_write(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "we");

    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        abort();
}

#endif
