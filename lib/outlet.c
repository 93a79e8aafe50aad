/* SPDX-License-Identifier: BSD-2-Clause */
#include "outlet.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

int apw_outlet_find_syslog(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = 0;

    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        why = errno;
    close(fd);
    switch (why) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EACCES:
    case EPERM:
    case ECONNREFUSED:
        return why;
    default: /* EPROTOTYPE: it listens on a stream socket, which syslog(3) also tries */
        return 0;
    }
}

/* Whether the socket leads to systemd's journal. */
static bool is_journal(int fd)
{
    static const char journal[] = "/run/systemd/journal/stdout";
    struct sockaddr_un peer = {.sun_family = AF_UNSPEC};
    socklen_t length = sizeof peer - 1;

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sun_family == AF_UNIX &&
           strcmp(peer.sun_path, journal) == 0;
}

/* Why descriptor 2 cannot be this program's log; NULL if it can. */
static const char *find_objection(bool is_own_program, struct stat *status_r)
{
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    if (flags < 0 || fstat(STDERR_FILENO, status_r) != 0)
        return "is closed";
    if (getauxval(AT_SECURE) != 0)
        return "belongs to the user, because the program is setuid";
    if ((flags & O_ACCMODE) == O_RDONLY)
        return "cannot be written";
    if (S_ISFIFO(status_r->st_mode))
        return NULL;
    if (S_ISREG(status_r->st_mode))
        return (flags & O_APPEND) != 0 ? NULL : "is a file that is not opened for appending";
    if (S_ISSOCK(status_r->st_mode))
        return is_journal(STDERR_FILENO) ? NULL : "is a socket, which may be a client's";
    if (isatty(STDERR_FILENO))
        return is_own_program ? NULL : "is a terminal, which may be a user's";
    return "is /dev/null or another device";
}

int apw_outlet_find_stderr(bool is_own_program, struct apw_outlet *outlet_r,
                           struct apw_error *error)
{
    struct stat status;
    const char *objection = find_objection(is_own_program, &status);

    memset(outlet_r, 0, sizeof *outlet_r);
    if (objection != NULL)
        return apw_error_set(error, "standard error of this program %s", objection);
    *outlet_r = (struct apw_outlet){true, status.st_dev, status.st_ino};
    return 0;
}

int apw_outlet_stderr(const struct apw_outlet *outlet)
{
    struct stat status;

    if (outlet->is_log && fstat(STDERR_FILENO, &status) == 0 && status.st_dev == outlet->device &&
        status.st_ino == outlet->inode)
        return STDERR_FILENO;
    errno = EBADF;
    return -1;
}

/* Without SIGPIPE, which would end the host program. */
static ssize_t write_quietly(int fd, const char *text, size_t length)
{
    const struct timespec at_once = {0, 0};
    sigset_t broken_pipe, before, pending;
    bool was_pending;
    ssize_t written;
    int problem;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    written = write(fd, text, length);
    problem = errno;
    if (written < 0 && problem == EPIPE && !was_pending)
        while (sigtimedwait(&broken_pipe, NULL, &at_once) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = problem;
    return written;
}

/* Whether the descriptor takes bytes now; false with errno set. */
static bool takes_bytes(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0)
        return true;
    errno = (ready.revents & POLLERR) != 0 ? EPIPE : EAGAIN;
    return false;
}

int apw_outlet_write(int fd, bool is_regular, const char *text, size_t length, size_t *written_r)
{
    ssize_t written;

    *written_r = 0;
    if (!is_regular && !takes_bytes(fd))
        return -1;
    written = is_regular ? write(fd, text, length) : write_quietly(fd, text, length);
    if (written > 0)
        *written_r = (size_t)written;
    if (written >= 0 && (size_t)written < length)
        errno = ENOSPC;
    return written == (ssize_t)length ? 0 : -1;
}
