/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"
#include "outlet.h"
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
    bool is_stderr;      /* instead of the file */
    int fd;              /* of the file; -1 without one */
    atomic_bool is_torn; /* the last line is incomplete: the disk was full */
    char *file;
    struct apw_outlet standard_error;
    struct stat root; /* at the start */
    struct apw_error loss;
    atomic_int loss_state;
};

/* The state of `loss`, which is written once, at the first lost line. */
enum loss_state { LOSS_NONE = 0, LOSS_BEING_TOLD, LOSS_TOLD, LOSS_TAKEN };

/* A process complains once, however many logs it opens. */
static atomic_bool has_complained;

/* Opens the file for appending. A new file is readable for its group, whatever the host program's
 * umask. */
static int open_file(const char *path, int more_flags)
{
    /* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | more_flags;
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

/* ---- lost lines ---- */

/* After chroot(), paths lead elsewhere. */
static bool is_in_other_root(const struct apw_log *log)
{
    struct stat root;

    return stat("/", &root) != 0 || root.st_dev != log->root.st_dev ||
           root.st_ino != log->root.st_ino;
}

/* Why a line for syslog is lost, as errno; 0 if it is not lost or we cannot tell: after chroot() or
 * a loss of privileges, an old connection may still work. */
static int find_loss(const struct apw_log *log, bool is_opening)
{
    int why = apw_outlet_find_syslog();

    if (why == 0 || is_opening)
        return why;
    return why == EACCES || why == EPERM || is_in_other_root(log) ? 0 : why;
}

static const char *name_sink(const struct apw_log *log)
{
    return log->is_stderr ? "standard error" : log->file;
}

/* `why_not_sink` is the error of the file or of standard error; 0 if the sink is syslog. */
static void describe_loss(struct apw_log *log, int why_not_sink, int why_not_syslog)
{
    char cause[512] = "";

    if (why_not_sink != 0)
        snprintf(cause, sizeof cause, "cannot write %s: %s, and ", name_sink(log),
                 strerror(why_not_sink));
    apw_error_set(&log->loss,
                  "logins and changes are not logged: %sno syslog server listens on %s: %s; start "
                  "one, or set "
                  "\"log\" in app-password.conf to a file or to stderr",
                  cause, _PATH_LOG, strerror(why_not_syslog));
}

/* On standard error, once in the life of the process. */
static void complain(const struct apw_log *log)
{
    char text[sizeof log->loss.text + 32];
    int fd = apw_outlet_stderr(&log->standard_error);
    size_t written;

    if (fd < 0 || atomic_exchange(&has_complained, true))
        return;
    snprintf(text, sizeof text, "app-password: %s\n", log->loss.text);
    if (apw_outlet_write(fd, false, text, strlen(text), &written) != 0)
        atomic_store(&has_complained, false);
}

/* Checks, until the first loss, whether the last line for syslog was lost. */
static void watch_for_loss(struct apw_log *log, int why_not_sink, bool is_opening)
{
    int state = LOSS_NONE, why;

    if (atomic_load(&log->loss_state) != LOSS_NONE)
        return;
    why = find_loss(log, is_opening);
    if (why == 0 || !atomic_compare_exchange_strong(&log->loss_state, &state, LOSS_BEING_TOLD))
        return;
    describe_loss(log, why_not_sink, why);
    complain(log);
    atomic_store(&log->loss_state, LOSS_TOLD);
}

bool apw_log_take_loss(struct apw_log *log, struct apw_error *loss_r)
{
    int state = LOSS_TOLD;

    if (!atomic_compare_exchange_strong(&log->loss_state, &state, LOSS_TAKEN))
        return false;
    *loss_r = log->loss;
    return true;
}

/* ---- opening ---- */

static int open_sink(struct apw_log *log, const struct apw_config *config, bool is_own_program,
                     struct apw_error *error)
{
    struct apw_error objection;
    int status = apw_outlet_find_stderr(is_own_program, &log->standard_error, &objection);

    if (config == NULL)
        return 0;
    log->is_stderr = config->log_to_stderr;
    if (log->is_stderr)
        return status == 0
                   ? 0
                   : apw_error_set(error, "log stderr: %s; set \"log\" to a file", objection.text);
    if (config->log_file == NULL)
        return 0;
    log->file = strdup(config->log_file);
    log->fd = open_file(config->log_file, 0);
    return log->file != NULL && log->fd >= 0
               ? 0
               : apw_error_set(error, "log %s: %s", config->log_file, strerror(errno));
}

static int open_log(const struct apw_config *config, bool is_own_program, struct apw_log **log_r,
                    struct apw_error *error)
{
    struct apw_log *log = calloc(1, sizeof *log);

    *log_r = NULL;
    if (log == NULL)
        return apw_error_set(error, "out of memory");
    log->fd = -1;
    log->facility = config == NULL ? LOG_MAIL : config->log_facility;
    if (open_sink(log, config, is_own_program, error) != 0) {
        apw_log_close(&log);
        return -1;
    }
    if (stat("/", &log->root) != 0)
        memset(&log->root, 0, sizeof log->root);
    if (log->fd < 0 && !log->is_stderr) { /* connects to syslog's socket, which chroot() may hide */
        syslog(log->facility | LOG_DEBUG, "app-password: logins are logged here");
        watch_for_loss(log, 0, true);
    }
    *log_r = log;
    return 0;
}

int apw_log_open(const struct apw_config *config, struct apw_log **log_r, struct apw_error *error)
{
    return open_log(config, false, log_r, error);
}

int apw_log_open_own(const struct apw_config *config, struct apw_log **log_r,
                     struct apw_error *error)
{
    return open_log(config, true, log_r, error);
}

/* ---- writing ---- */

/* Whether the path still leads to the open file. While a rotation has renamed the file and not yet
 * created another, the old one takes the lines. */
static bool is_current(const struct apw_log *log, const struct stat *opened)
{
    struct stat named;

    if (!S_ISREG(opened->st_mode))
        return true;
    /* lstat: /dev/stderr leads to whatever the host has opened meanwhile. */
    if (lstat(log->file, &named) != 0 || !S_ISREG(named.st_mode))
        return opened->st_nlink > 0;
    return named.st_dev == opened->st_dev && named.st_ino == opened->st_ino;
}

/* The file to write to; -1 with errno set if nobody could read it. A regular one stays one. Follows
 * a rotation if this process may open the new file; in a chroot, or without the rights, it keeps
 * the old one. */
static int current_file(struct apw_log *log, bool *is_regular_r)
{
    struct stat opened, named;
    int fresh;

    if (fstat(log->fd, &opened) != 0)
        return -1;
    *is_regular_r = S_ISREG(opened.st_mode);
    if (is_current(log, &opened))
        return log->fd;
    fresh = is_in_other_root(log) ? -1 : open_file(log->file, O_NOFOLLOW);
    if (fresh >= 0 && fstat(fresh, &named) == 0 && S_ISREG(named.st_mode)) {
        dup3(fresh, log->fd, O_CLOEXEC); /* other threads write to the one file or to the other */
        close(fresh);
        atomic_store(&log->is_torn, false);
        return log->fd;
    }
    if (fresh >= 0)
        close(fresh);
    errno = ENOENT;
    return opened.st_nlink > 0 ? log->fd : -1;
}

/* Writes the line, in a file after the time; -1 with errno set. */
static int write_sink(struct apw_log *log, const char *line)
{
    char stamped[APW_EVENT_SIZE + 32];
    bool is_regular = false;
    int fd =
        log->is_stderr ? apw_outlet_stderr(&log->standard_error) : current_file(log, &is_regular);
    time_t now = time(NULL);
    struct tm fields;
    size_t length = 0, written;
    int status;

    if (fd < 0)
        return -1;
    if (atomic_load(&log->is_torn))
        stamped[length++] = '\n'; /* end the incomplete line */
    if (!log->is_stderr && gmtime_r(&now, &fields) != NULL)
        length +=
            strftime(stamped + length, sizeof stamped - length, "%Y-%m-%dT%H:%M:%SZ ", &fields);
    length += (size_t)snprintf(stamped + length, sizeof stamped - length, "%s\n", line);
    status = apw_outlet_write(fd, is_regular, stamped, length, &written);
    if (written > 0)
        atomic_store(&log->is_torn, written < length);
    return status;
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

static void write_syslog(struct apw_log *log, int priority, const char *line, int why_not_sink)
{
    if (why_not_sink != 0)
        syslog(log->facility | LOG_ERR, "app-password: cannot write %s: %s", name_sink(log),
               strerror(why_not_sink));
    syslog(log->facility | priority, "%s", line);
    watch_for_loss(log, why_not_sink, false);
}

static void write_line(struct apw_log *log, int priority, const char *line)
{
    if (log->fd < 0 && !log->is_stderr)
        write_syslog(log, priority, line, 0);
    else if (write_sink(log, line) != 0)
        write_syslog(log, priority, line, errno);
}

void apw_log_event(struct apw_log *log, const struct apw_event *event)
{
    char line[APW_EVENT_SIZE];

    apw_event_format(event, line);
    write_line(log, priority_of(event->verdict), line);
}

void apw_log_kick(struct apw_log *log, const struct apw_event *event)
{
    char line[APW_EVENT_SIZE];

    apw_event_format_kick(event, line);
    write_line(log, LOG_NOTICE, line);
}

void apw_log_audit(struct apw_log *log, const struct apw_audit *audit)
{
    char line[APW_LINE_SIZE];

    apw_audit_format(audit, line);
    write_line(log, audit->is_done ? LOG_NOTICE : LOG_WARNING, line);
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
