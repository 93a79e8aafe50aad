/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard error: when it is a log, and writing to it without harm to the host. */
#include "config.h"
#include "log.h"
#include "outlet.h"
#include "syslog_catcher.h"
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Open what a host may have as descriptor 2. The other end, if any, goes to *other_r. */
static int open_pipe(int *other_r)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *other_r = ends[0];
    return ends[1];
}

static int open_read_end(int *other_r)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *other_r = ends[1];
    return ends[0];
}

static int open_client(int *other_r)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    *other_r = ends[0];
    return ends[1];
}

static int open_network(int *other_r)
{
    *other_r = -1;
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int open_terminal(int *other_r)
{
    int slave;

    assert_int_equal(openpty(other_r, &slave, NULL, NULL, NULL), 0);
    return slave;
}

static int open_file(int flags)
{
    char path[UNIT_PATH_SIZE];

    return open(unit_path("stderr", path), O_CREAT | O_WRONLY | flags, 0600);
}

static int open_appended(int *other_r)
{
    *other_r = -1;
    return open_file(O_APPEND);
}

static int open_database(int *other_r)
{
    *other_r = -1;
    return open_file(0);
}

static int open_null(int *other_r)
{
    *other_r = -1;
    return open("/dev/null", O_WRONLY);
}

static int open_nothing(int *other_r)
{
    *other_r = -1;
    return -1;
}

static const struct kind_case {
    const char *name;
    int (*open)(int *other_r);
    bool is_own_program;
    const char *objection; /* NULL: it is a log */
} kind_cases[] = {
    {"a pipe is a log", open_pipe, false, NULL},
    {"a file opened for appending is a log", open_appended, false, NULL},
    {"a terminal is a log of our own program", open_terminal, true, NULL},
    {"a terminal is no log of a host", open_terminal, false, "is a terminal"},
    {"a file that is written anywhere is no log", open_database, true, "not opened for appending"},
    {"a client's socket is no log", open_client, true, "is a socket"},
    {"a network socket is no log", open_network, true, "is a socket"},
    {"/dev/null is no log", open_null, true, "is /dev/null"},
    {"an end for reading is no log", open_read_end, true, "cannot be written"},
    {"nothing is no log", open_nothing, true, "is closed"},
};

/* Runs `find` in a child with that as descriptor 2, which must return 0. */
static void run_with(int fd, int (*find)(const struct kind_case *row), const struct kind_case *row)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        if (fd >= 0)
            dup2(fd, STDERR_FILENO);
        else
            close(STDERR_FILENO);
        _exit(find(row));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* 0 if the result is as in the row, and `log stderr` fails if and only if it is not a log. */
static int look(const struct kind_case *row)
{
    const struct apw_config config = {.log_to_stderr = true};
    struct apw_error error = {""};
    struct apw_outlet outlet;
    struct apw_log *log = NULL;
    int status = apw_outlet_find_stderr(row->is_own_program, &outlet, &error);
    int opened = row->is_own_program ? apw_log_open_own(&config, &log, &error)
                                     : apw_log_open(&config, &log, &error);

    apw_log_close(&log);
    if (row->objection == NULL)
        return status == 0 && opened == 0 && apw_outlet_stderr(&outlet) == STDERR_FILENO ? 0 : 1;
    return status == -1 && opened == -1 && apw_outlet_stderr(&outlet) == -1 &&
                   strstr(error.text, row->objection) != NULL
               ? 0
               : 2;
}

static void test_kind(void **state)
{
    const struct kind_case *row = *state;
    int other = -1, fd = row->open(&other);

    run_with(fd, look, row);
    if (other >= 0)
        close(other);
    if (fd >= 0)
        close(fd);
}

/* ---- the host opens something else as descriptor 2 ---- */

static int move(const struct kind_case *row)
{
    const struct apw_event event = {.verdict = APW_ACCEPTED, .reason = APW_REASON_APP_PASSWORD};
    const struct apw_config config = {.log_to_stderr = true};
    struct apw_log *log = NULL;
    int other;

    (void)row;
    if (apw_log_open(&config, &log, NULL) != 0)
        return 1;
    apw_log_event(log, &event);
    if (caught.count != 0)
        return 2;
    dup2(open_database(&other), STDERR_FILENO);
    apw_log_event(log, &event);
    apw_log_close(&log);
    return caught.count == 2 && strstr(caught.text, "cannot write standard error") != NULL ? 0 : 3;
}

static void test_moved(void **state)
{
    char path[UNIT_PATH_SIZE], text[1024];
    int other, fd = open_pipe(&other);
    ssize_t length;
    FILE *file;

    (void)state;
    run_with(fd, move, NULL);
    close(fd);
    length = read(other, text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = '\0';
    assert_memory_equal(text, "app-password: verdict=accepted reason=app-password user=", 56);
    assert_ptr_equal(strchr(text, '\n'), text + length - 1); /* one line */
    close(other);
    file = fopen(unit_path("stderr", path), "re");
    assert_int_equal(fread(text, 1, sizeof text, file), 0);
    fclose(file);
}

/* ---- writing ---- */

static int write_without_reader(const struct kind_case *row)
{
    size_t written;

    (void)row;
    errno = 0;
    return apw_outlet_write(STDERR_FILENO, false, "x", 1, &written) == -1 && errno == EPIPE ? 0 : 1;
}

static void test_no_reader(void **state)
{
    int other, fd = open_pipe(&other);

    (void)state;
    close(other);
    run_with(fd, write_without_reader, NULL);
    close(fd);
}

static void test_full_pipe(void **state)
{
    static const char block[4096];
    int other, fd = open_pipe(&other);
    size_t written, total = 0;

    (void)state;
    while (apw_outlet_write(fd, false, block, sizeof block, &written) == 0)
        total += written;
    assert_int_equal(errno, EAGAIN);
    assert_true(total >= sizeof block);
    close(other);
    close(fd);
}

int main(void)
{
    UNIT_ROWS(kind_cases, test_kind);
    UNIT_TEST("what the host opens later as standard error is not written", test_moved);
    UNIT_TEST("a pipe that nobody reads is no SIGPIPE", test_no_reader);
    UNIT_TEST("a full pipe is not waited for", test_full_pipe);
    return unit_run();
}
