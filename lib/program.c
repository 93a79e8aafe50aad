/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"
#include "clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Root's PATH often lacks /usr/sbin, for example under cron or after su. */
static void widen_path(void)
{
    const char *path = getenv("PATH");
    char wide[4096];

    if (path != NULL && strstr(path, ":/usr/sbin") != NULL)
        return;
    snprintf(wide, sizeof wide, "%s:/usr/sbin:/usr/bin", path != NULL ? path : "/usr/local/sbin");
    setenv("PATH", wide, 1);
}

/* Returns 0, or an errno. */
static int spawn(const char *const *argv, const posix_spawn_file_actions_t *actions, pid_t *pid_r)
{
    widen_path();
    setenv("LC_ALL", "C", 1);
    return posix_spawnp(pid_r, argv[0], actions, NULL, (char *const *)argv, environ);
}

static int exit_status(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The child reads `input`, or nothing if that is -1. It writes into `output`, and its messages,
 * too, or nowhere. */
static int spawn_into(const char *const *argv, int input, int output, bool with_messages,
                      pid_t *pid_r)
{
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return failure;
    failure = input >= 0 ? posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
                         : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                                            O_RDONLY, 0);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (failure == 0)
        failure = with_messages ? posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
                                : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                                                   "/dev/null", O_WRONLY, 0);
    if (failure == 0)
        failure = spawn(argv, &actions, pid_r);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Whether there is something to read before the deadline. */
static bool is_readable(int file, int64_t deadline_ms)
{
    struct pollfd polled = {.fd = file, .events = POLLIN};

    while (poll(&polled, 1, (int)apw_clock_remaining_ms(deadline_ms)) < 0 && errno == EINTR)
        continue;
    return polled.revents != 0;
}

/* To the end, so that the program does not stop at a full pipe; or to the deadline. */
static void read_to_end(int file, int64_t deadline_ms, char *output_r, size_t size)
{
    char dropped[4096];
    size_t length = 0;

    while (is_readable(file, deadline_ms)) {
        size_t room = size - 1 - length;
        ssize_t count =
            room > 0 ? read(file, output_r + length, room) : read(file, dropped, sizeof dropped);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        if (room > 0)
            length += (size_t)count;
    }
    output_r[length] = '\0';
}

static bool is_running(pid_t pid)
{
    siginfo_t ended = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

/* As exit_status(), but kills the program at the deadline. */
static int exit_status_by(pid_t pid, int64_t deadline_ms, bool *is_late_r)
{
    while (is_running(pid) && apw_clock_remaining_ms(deadline_ms) > 0)
        poll(NULL, 0, 5);
    *is_late_r = is_running(pid);
    if (*is_late_r)
        kill(pid, SIGKILL);
    return exit_status(pid);
}

static int run_into(const char *const *argv, int input, bool with_messages, int limit_s,
                    char *output_r, size_t size)
{
    int64_t deadline_ms = apw_clock_monotonic_ms() + INT64_C(1000) * limit_s;
    int ends[2], failure, status = -1;
    bool is_late = false;
    pid_t pid;

    *output_r = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    failure = spawn_into(argv, input, ends[1], with_messages, &pid);
    close(ends[1]);
    if (failure == 0) {
        read_to_end(ends[0], deadline_ms, output_r, size);
        status = exit_status_by(pid, deadline_ms, &is_late);
    }
    close(ends[0]);
    if (with_messages && failure != 0)
        snprintf(output_r, size, "%s: %s", argv[0], strerror(failure));
    else if (with_messages && is_late)
        snprintf(output_r, size, "%s did not end within %d seconds", argv[0], limit_s);
    return status;
}

int apw_program_read(const char *const *argv, char *output_r, size_t size)
{
    return run_into(argv, -1, false, APW_PROGRAM_LIMIT_S, output_r, size);
}

int apw_program_read_within(const char *const *argv, int limit_s, char *output_r, size_t size)
{
    return run_into(argv, -1, false, limit_s, output_r, size);
}

int apw_program_read_all(const char *const *argv, char **output_r)
{
    *output_r = malloc(APW_PROGRAM_OUTPUT_SIZE);
    return *output_r == NULL
               ? -1
               : run_into(argv, -1, true, APW_PROGRAM_LIMIT_S, *output_r, APW_PROGRAM_OUTPUT_SIZE);
}

int apw_program_feed(const char *const *argv, const char *input, char **output_r)
{
    ssize_t length = (ssize_t)strlen(input);
    int ends[2], status = -1;

    *output_r = calloc(1, APW_PROGRAM_OUTPUT_SIZE);
    if (*output_r == NULL || pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    /* So little fits into a pipe that nobody reads yet. */
    if (write(ends[1], input, (size_t)length) == length && close(ends[1]) == 0)
        status =
            run_into(argv, ends[0], true, APW_PROGRAM_LIMIT_S, *output_r, APW_PROGRAM_OUTPUT_SIZE);
    else
        close(ends[1]);
    close(ends[0]);
    return status;
}

int apw_program_run(const char *const *argv)
{
    pid_t pid;

    return spawn(argv, NULL, &pid) == 0 ? exit_status(pid) : -1;
}

char *apw_program_next_line(char *text)
{
    char *end = strchr(text, '\n');

    if (end == NULL)
        return NULL;
    *end = '\0';
    return end[1] == '\0' ? NULL : end + 1;
}
