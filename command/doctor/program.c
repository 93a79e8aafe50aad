/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/program.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
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

static int start(const char *const arguments[], int output, pid_t *pid_r)
{
    posix_spawn_file_actions_t actions;
    int failure;

    widen_path();
    setenv("LC_ALL", "C", 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    failure = posix_spawnp(pid_r, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Reads until the end, and drops what has no room. */
static void read_all(int fd, char *output)
{
    char dropped[4096];
    size_t length = 0;

    for (;;) {
        size_t room = APW_DOCTOR_PROGRAM_SIZE - 1 - length;
        ssize_t count =
            room > 0 ? read(fd, output + length, room) : read(fd, dropped, sizeof dropped);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        if (room > 0)
            length += (size_t)count;
    }
    output[length] = '\0';
}

int apw_doctor_program_run(const char *const arguments[], char **output_r)
{
    char *output = calloc(1, APW_DOCTOR_PROGRAM_SIZE);
    int ends[2], status = -1, failure;
    pid_t pid;

    *output_r = output;
    if (output == NULL || pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    failure = start(arguments, ends[1], &pid);
    close(ends[1]);
    if (failure == 0) {
        read_all(ends[0], output);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    } else {
        snprintf(output, APW_DOCTOR_PROGRAM_SIZE, "%s: %s", arguments[0], strerror(failure));
    }
    close(ends[0]);
    return failure == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *apw_doctor_program_next_line(char *text)
{
    char *end = strchr(text, '\n');

    if (end == NULL)
        return NULL;
    *end = '\0';
    return end[1] == '\0' ? NULL : end + 1;
}
