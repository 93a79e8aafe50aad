/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"
#include <errno.h>
#include <fcntl.h>
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

/* The child writes into `output`, and its messages, too, or nowhere. */
static int spawn_into(const char *const *argv, int output, bool with_messages, pid_t *pid_r)
{
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return failure;
    failure = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
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

/* To the end, so that the program does not stop at a full pipe. */
static void read_to_end(int file, char *output_r, size_t size)
{
    char dropped[4096];
    size_t length = 0;

    for (;;) {
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

static int run_into(const char *const *argv, bool with_messages, char *output_r, size_t size)
{
    int ends[2], failure;
    pid_t pid;

    *output_r = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    failure = spawn_into(argv, ends[1], with_messages, &pid);
    close(ends[1]);
    if (failure == 0)
        read_to_end(ends[0], output_r, size);
    else if (with_messages)
        snprintf(output_r, size, "%s: %s", argv[0], strerror(failure));
    close(ends[0]);
    return failure == 0 ? exit_status(pid) : -1;
}

int apw_program_read(const char *const *argv, char *output_r, size_t size)
{
    return run_into(argv, false, output_r, size);
}

int apw_program_read_all(const char *const *argv, char **output_r)
{
    *output_r = malloc(APW_PROGRAM_OUTPUT_SIZE);
    return *output_r == NULL ? -1 : run_into(argv, true, *output_r, APW_PROGRAM_OUTPUT_SIZE);
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
