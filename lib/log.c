/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

struct apw_log {
    int facility;
    int fd;              /* -1: syslog */
    atomic_bool is_torn; /* the file's last line is incomplete: the disk was full */
    char *file;
};

/* Opens the file for appending. A new file is readable for its group, whatever the host program's
 * umask. */
static int open_file(const char *path)
{
    /* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = open(path, flags | O_CREAT | O_EXCL, 0640);
    if (fd >= 0)
        fchmod(fd, 0640);
    else if (errno == EEXIST) /* another process created it */
        fd = open(path, flags);
    return fd;
}

int apw_log_open(const struct apw_config *config, struct apw_log **log_r, struct apw_error *error)
{
    struct apw_log *log = calloc(1, sizeof *log);

    *log_r = NULL;
    if (log == NULL)
        return apw_error_set(error, "out of memory");
    log->fd = -1;
    log->facility = config == NULL ? LOG_MAIL : config->log_facility;
    if (config != NULL && config->log_file != NULL) {
        log->file = strdup(config->log_file);
        log->fd = open_file(config->log_file);
        if (log->file == NULL || log->fd < 0) {
            apw_error_set(error, "log %s: %s", config->log_file, strerror(errno));
            apw_log_close(&log);
            return -1;
        }
    }
    if (log->fd < 0) /* connects to syslog's socket, which chroot() may hide */
        syslog(log->facility | LOG_DEBUG, "app-password: logins are logged here");
    *log_r = log;
    return 0;
}

/* Writes the time and the line; -1 with errno set. */
static int write_file(struct apw_log *log, const char *line)
{
    char stamped[APW_EVENT_SIZE + 32];
    time_t now = time(NULL);
    struct tm fields;
    size_t length = 0;
    ssize_t written;

    if (atomic_load(&log->is_torn))
        stamped[length++] = '\n'; /* end the incomplete line */
    if (gmtime_r(&now, &fields) != NULL)
        length +=
            strftime(stamped + length, sizeof stamped - length, "%Y-%m-%dT%H:%M:%SZ ", &fields);
    length += (size_t)snprintf(stamped + length, sizeof stamped - length, "%s\n", line);
    written = write(log->fd, stamped, length);
    if (written > 0)
        atomic_store(&log->is_torn, (size_t)written < length);
    if (written >= 0 && (size_t)written < length)
        errno = ENOSPC;
    return written == (ssize_t)length ? 0 : -1;
}

static int priority_of(enum apw_verdict verdict)
{
    switch (verdict) {
    case APW_ACCEPTED:
        return LOG_INFO;
    case APW_REFUSED:
        return LOG_NOTICE;
    case APW_UNAVAILABLE:
        break;
    }
    return LOG_ERR;
}

static void write_line(struct apw_log *log, int priority, const char *line)
{
    if (log->fd >= 0) {
        if (write_file(log, line) == 0)
            return;
        syslog(log->facility | LOG_ERR, "app-password: cannot write %s: %s", log->file,
               strerror(errno));
    }
    syslog(log->facility | priority, "%s", line);
}

void apw_log_event(struct apw_log *log, const struct apw_event *event)
{
    char line[APW_EVENT_SIZE];

    apw_event_format(event, line);
    write_line(log, priority_of(event->verdict), line);
}

void apw_log_warning(struct apw_log *log, const char *text)
{
    char line[APW_EVENT_SIZE];
    int length = snprintf(line, sizeof line, "app-password: %s", text);

    for (int i = 0; i < length && i < (int)sizeof line; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    write_line(log, LOG_WARNING, line);
}

void apw_log_close(struct apw_log **log)
{
    if (*log == NULL)
        return;
    if ((*log)->fd >= 0)
        close((*log)->fd);
    free((*log)->file);
    free(*log);
    *log = NULL;
}
