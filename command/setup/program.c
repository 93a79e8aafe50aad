/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/program.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int exit_status(pid_t process)
{
    int status;

    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool spawn(const char *const *argv, const posix_spawn_file_actions_t *actions,
                  pid_t *process_r)
{
    return posix_spawnp(process_r, argv[0], actions, NULL, (char *const *)argv, environ) == 0;
}

/* The child's standard output; its other streams are /dev/null. */
static bool spawn_into(const char *const *argv, int output, pid_t *process_r)
{
    posix_spawn_file_actions_t actions;
    bool is_running;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    is_running =
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        spawn(argv, &actions, process_r);
    posix_spawn_file_actions_destroy(&actions);
    return is_running;
}

/* To the end, so that the program does not stop at a full pipe. */
static void read_all(int file, char *output_r, size_t size)
{
    char rest[4096];
    size_t length = 0;

    for (;;) {
        bool fits = length + 1 < size;
        ssize_t got =
            fits ? read(file, output_r + length, size - 1 - length) : read(file, rest, sizeof rest);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        if (fits)
            length += (size_t)got;
    }
    output_r[length] = '\0';
}

int apw_setup_program_read(const char *const *argv, char *output_r, size_t size)
{
    int ends[2];
    pid_t process;
    bool is_running;

    *output_r = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    is_running = spawn_into(argv, ends[1], &process);
    close(ends[1]);
    if (is_running)
        read_all(ends[0], output_r, size);
    close(ends[0]);
    return is_running ? exit_status(process) : -1;
}

int apw_setup_program_run(const char *const *argv)
{
    pid_t process;

    return spawn(argv, NULL, &process) ? exit_status(process) : -1;
}
