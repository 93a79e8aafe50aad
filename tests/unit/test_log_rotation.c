/* SPDX-License-Identifier: BSD-2-Clause */
/* A log file that is rotated while it is open. */
#include "config.h"
#include "log.h"
#include "syslog_catcher.h"
#include "unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static struct apw_log *log_under_test;
static char file[UNIT_PATH_SIZE], old[UNIT_PATH_SIZE];

static void sign_in(const char *user)
{
    struct apw_event event = {.verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD};

    event.user_length = strlen(user);
    memcpy(event.user, user, event.user_length);
    apw_log_event(log_under_test, &event);
}

/* Opens the log, with one line by "first" in the file. */
static void start(void)
{
    struct apw_config config = {.log_file = (char *)unit_path("rotated", file),
                                .log_facility = LOG_MAIL};
    struct apw_error error = {""};

    unit_path("rotated.1", old);
    unlink(file);
    unlink(old);
    assert_int_equal(apw_log_open(&config, &log_under_test, &error), 0);
    memset(&caught, 0, sizeof caught);
    sign_in("first");
}

static const char *text_of(const char *path)
{
    static char text[4096];
    FILE *stream = fopen(path, "re");

    text[0] = '\0';
    if (stream == NULL)
        return text;
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static void create(mode_t mode)
{
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY, mode);

    assert_true(fd >= 0);
    close(fd);
}

static void test_new_file(void **state)
{
    (void)state;
    start();
    assert_int_equal(rename(file, old), 0);
    sign_in("between");
    create(0640);
    sign_in("after");
    sign_in("again");
    assert_contains(text_of(old), "\"between\"");
    assert_null(strstr(text_of(old), "\"after\""));
    assert_null(strstr(text_of(file), "\"between\""));
    assert_contains(text_of(file), "\"after\"");
    assert_contains(text_of(file), "\"again\"");
    assert_int_equal(caught.count, 0);
    apw_log_close(&log_under_test);
}

/* With `create`, logrotate fails if there is a new file already. */
static void test_missing(void **state)
{
    (void)state;
    start();
    assert_int_equal(rename(file, old), 0);
    sign_in("between");
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(caught.count, 0);
    apw_log_close(&log_under_test);
}

static void test_deleted(void **state)
{
    struct stat status;

    (void)state;
    start();
    assert_int_equal(unlink(file), 0);
    sign_in("after");
    assert_contains(text_of(file), "\"after\"");
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(caught.count, 0);
    apw_log_close(&log_under_test);
}

/* Nobody could read the old file, and there cannot be a new one. */
static void test_deleted_for_good(void **state)
{
    (void)state;
    start();
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0);
    sign_in("after");
    assert_int_equal(caught.count, 2);
    assert_contains(caught.text, "cannot write");
    assert_contains(caught.text, "\"after\"");
    assert_int_equal(rmdir(file), 0);
    apw_log_close(&log_under_test);
}

/* A link may lead to what the host has opened meanwhile, as /dev/stderr does. */
static void test_link(void **state)
{
    char other[UNIT_PATH_SIZE];

    (void)state;
    start();
    unlink(unit_path("other", other));
    unit_write(other, "", 0);
    assert_int_equal(rename(file, old), 0);
    assert_int_equal(symlink(other, file), 0);
    sign_in("after");
    assert_string_equal(text_of(other), "");
    assert_contains(text_of(old), "\"after\"");
    assert_int_equal(unlink(file), 0);
    apw_log_close(&log_under_test);
}

int main(void)
{
    UNIT_TEST("a new file has the lines after the rotation", test_new_file);
    UNIT_TEST("without a new file, the old one has them, and none is made", test_missing);
    UNIT_TEST("a file that was deleted is made again", test_deleted);
    UNIT_TEST("if it cannot be made again, syslog has the lines", test_deleted_for_good);
    UNIT_TEST("a link in its place is not followed", test_link);
    return unit_run();
}
