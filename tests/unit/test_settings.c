/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths of configuration files; test_config reads such files. */
#include "settings.h"
#include "unit.h"

static const struct sibling_case {
    const char *name;
    const char *path;
    size_t size;         /* of the buffer */
    const char *sibling; /* NULL: it does not fit */
} sibling_cases[] = {
    {"a sibling is in the same folder", "/etc/app-password/app-password.conf", 64,
     "/etc/app-password/admin.conf"},
    {"a sibling in the root", "/app-password.conf", 64, "/admin.conf"},
    {"a sibling of a relative path is relative", "etc/app-password.conf", 64, "etc/admin.conf"},
    {"a sibling of a path without a slash is the name alone", "app-password.conf", 64,
     "admin.conf"},
    {"a sibling of a folder is in that folder", "/etc/app-password/", 64,
     "/etc/app-password/admin.conf"},
    {"a sibling that just fits", "/etc/x", sizeof "/etc/admin.conf", "/etc/admin.conf"},
    {"a sibling that is one byte too long", "/etc/x", sizeof "/etc/admin.conf" - 1, NULL},
    {"a sibling without a folder that is too long", "x", sizeof "admin.conf" - 1, NULL},
};

static void test_sibling(void **state)
{
    const struct sibling_case *row = *state;
    char *sibling = malloc(row->size); /* so that a sanitizer sees a write past the end */
    struct apw_error error = {""};
    int status;

    assert_non_null(sibling);
    status = apw_settings_sibling(row->path, "admin.conf", sibling, row->size, &error);
    assert_int_equal(status, row->sibling != NULL ? 0 : -1);
    if (row->sibling != NULL) {
        assert_string_equal(sibling, row->sibling);
        assert_string_equal(error.text, "");
    } else {
        assert_memory_equal(error.text, row->path, strlen(row->path));
        assert_contains(error.text, "the path is too long");
    }
    free(sibling);
}

int main(void)
{
    UNIT_ROWS(sibling_cases, test_sibling);
    return unit_run();
}
