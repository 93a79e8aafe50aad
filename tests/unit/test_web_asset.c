/* SPDX-License-Identifier: BSD-2-Clause */
/* The static files of a site: read whole, or not at all. */
#include "unit.h"
#include "web/asset.h"
#include <dirent.h>
#include <sys/stat.h>

static char folder[UNIT_PATH_SIZE];
static bool is_memory_short;

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return is_memory_short ? NULL : __real_malloc(size);
}

static void write_file(const char *name, size_t length)
{
    char path[UNIT_PATH_SIZE + 32], *bytes = unit_repeat("x", length > 0 ? length : 1);

    snprintf(path, sizeof path, "%s/%s", folder, name);
    unit_write(path, bytes, length);
    free(bytes);
}

static void remove_folder(void)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        closedir(directory);
    rmdir(folder);
}

static int open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static const struct size_case {
    const char *name;
    size_t length;
} sizes[] = {
    {"an empty file", 0},
    {"one byte", 1},
    {"as long as a file may be", 256 * 1024},
};

static void test_size(void **state)
{
    const struct size_case *row = *state;
    struct apw_asset assets[] = {{.name = "a.css"}, {.name = "b.js"}};
    struct apw_error error = {""};

    write_file("a.css", row->length);
    write_file("b.js", 3);
    assert_int_equal(apw_assets_load(folder, assets, 2, &error), 0);
    assert_int_equal(assets[0].length, row->length);
    if (row->length > 0)
        assert_true(assets[0].bytes[row->length - 1] == 'x');
    assert_int_equal(assets[1].length, 3);
    apw_assets_free(assets, 2);
    apw_assets_free(assets, 2);
}

static void test_too_long(void **state)
{
    struct apw_asset assets[] = {{.name = "a.css"}};
    struct apw_error error = {""};

    (void)state;
    write_file("a.css", 256 * 1024 + 1);
    assert_int_equal(apw_assets_load(folder, assets, 1, &error), -1);
    assert_contains(error.text, "/a.css: longer than 256 KiB");
    apw_assets_free(assets, 1);
}

static void test_missing(void **state)
{
    struct apw_asset assets[] = {{.name = "missing.css"}};
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_assets_load(folder, assets, 1, &error), -1);
    assert_contains(error.text, "/missing.css: No such file or directory");
    apw_assets_free(assets, 1);
}

static void test_no_memory(void **state)
{
    struct apw_asset assets[] = {{.name = "a.css"}};
    struct apw_error error = {""};
    int before = open_files(), status;
    FILE *file;

    (void)state;
    write_file("a.css", 1);
    file = fopen("/dev/null", "re"); /* the first FILE of a process is allocated once */
    assert_non_null(file);
    fclose(file);
    is_memory_short = true;
    status = apw_assets_load(folder, assets, 1, &error);
    is_memory_short = false;
    assert_int_equal(status, -1);
    assert_string_equal(error.text, "out of memory");
    assert_int_equal(open_files(), before);
    apw_assets_free(assets, 1);
}

static void test_version(void **state)
{
    char one[] = "a", two[] = "b", first[APW_ASSETS_VERSION_SIZE], other[APW_ASSETS_VERSION_SIZE];
    struct apw_asset assets[] = {{.bytes = one, .length = 1}, {.bytes = two, .length = 1}};

    (void)state;
    apw_assets_version(assets, 2, first);
    assert_int_equal(strlen(first), APW_ASSETS_VERSION_SIZE - 1);
    apw_assets_version(assets, 2, other);
    assert_string_equal(first, other);
    two[0] = 'c';
    apw_assets_version(assets, 2, other);
    assert_string_not_equal(first, other);
    two[0] = 'b';
    assets[1].length = 0;
    apw_assets_version(assets, 2, other);
    assert_string_not_equal(first, other);
}

int main(void)
{
    unit_path("assets", folder);
    if (mkdir(folder, 0700) != 0)
        abort();
    atexit(remove_folder);
    UNIT_ROWS(sizes, test_size);
    UNIT_TEST("a longer file is an error that says the limit", test_too_long);
    UNIT_TEST("a missing file is an error", test_missing);
    UNIT_TEST("without memory no file stays open", test_no_memory);
    UNIT_TEST("the version changes with the content of any asset", test_version);
    return unit_run();
}
