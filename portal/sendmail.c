/* SPDX-License-Identifier: BSD-2-Clause */
#include "sendmail.h"
#include "clock.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MAX 10

/* An anonymous file with the message. */
static int open_message(const struct apw_buffer *message, struct apw_error *error)
{
    int fd = memfd_create("mail", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, message->bytes, message->length) == (ssize_t)message->length &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    apw_error_set(error, "no memory for a mail: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Default signals, whatever this thread blocks; and a process group, so that we can kill the
 * program's children, too. */
static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;

    sigemptyset(&none);
    sigfillset(&defaults); /* including those that we ignore */
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

/* -t: the recipient is in the message, because every user can read a program's arguments. */
static int start(const char *program, const char *from, int message, pid_t *child_r,
                 struct apw_error *error)
{
    char *const arguments[] = {(char *)program, (char *)"-i", (char *)"-t",
                               (char *)"-f",    (char *)from, NULL};
    char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                 (char *)"LC_ALL=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, message, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    set_attributes(&attributes);
    status = posix_spawn(child_r, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? 0 : apw_error_set(error, "%s: %s", program, strerror(status));
}

/* Its children, too: postdrop may retry forever. */
static void kill_all(pid_t child)
{
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
}

static int wait_for(pid_t child, const char *program, const atomic_bool *stop, int *status_r,
                    struct apw_error *error)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int64_t deadline = apw_clock_monotonic_ms() + SECONDS_MAX * 1000;

    for (;;) {
        pid_t ended = waitpid(child, status_r, WNOHANG);

        if (ended == child)
            return 0;
        if (ended < 0 && errno != EINTR)
            return apw_error_set(error, "%s: %s", program, strerror(errno));
        if (stop != NULL && *stop) {
            kill_all(child);
            return apw_error_set(error, "%s was ended, because the page ends", program);
        }
        if (apw_clock_remaining_ms(deadline) == 0) {
            kill_all(child);
            return apw_error_set(error, "%s took longer than %d seconds", program, SECONDS_MAX);
        }
        nanosleep(&pause, NULL);
    }
}

static enum apw_mail_result judge(const char *program, int status, struct apw_error *error)
{
    if (!WIFEXITED(status)) {
        apw_error_set(error, "%s was ended by signal %d", program, WTERMSIG(status));
        return APW_MAIL_NOT_SENT;
    }
    if (WEXITSTATUS(status) == 0)
        return APW_MAIL_SENT;
    apw_error_set(error, "%s ended with status %d", program, WEXITSTATUS(status));
    switch (WEXITSTATUS(status)) {
    case EX_DATAERR:
    case EX_NOUSER:
    case EX_NOHOST:
        return APW_MAIL_REFUSED;
    default:
        return APW_MAIL_NOT_SENT;
    }
}

enum apw_mail_result apw_sendmail_send(const char *program, const char *from,
                                       const struct apw_buffer *message, const atomic_bool *stop,
                                       struct apw_error *error)
{
    enum apw_mail_result result = APW_MAIL_NOT_SENT;
    int fd = open_message(message, error), status;
    pid_t child;

    if (fd < 0)
        return APW_MAIL_NOT_SENT;
    if (start(program, from, fd, &child, error) == 0 &&
        wait_for(child, program, stop, &status, error) == 0)
        result = judge(program, status, error);
    close(fd);
    return result;
}
