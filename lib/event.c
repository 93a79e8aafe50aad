#include "event.h"
#include "login.h"
#include "password.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define DN_BYTES_MAX 255

struct apw_log {
    int facility;
    int fd;              /* -1: syslog */
    atomic_bool is_torn; /* the last line in the file has no end: the disk was full */
    char *file;
};

/* A line under construction; what does not fit is left out. */
struct line {
    char *text;
    size_t length;
    size_t size;
};

static void put(struct line *line, const char *text, size_t length)
{
    if (line->length + length >= line->size)
        return;
    memcpy(line->text + line->length, text, length);
    line->length += length;
    line->text[line->length] = '\0';
}

static void put_string(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* How many bytes at `text` may stand as they are: one character that is neither a control
 * character, a quote nor a backslash. */
static size_t plain_bytes(const char *text, size_t length)
{
    return *text == '"' || *text == '\\' ? 0 : apw_text_printable_bytes(text, length);
}

static void put_quoted(struct line *line, const char *text, size_t length)
{
    char escaped[8];

    put(line, "\"", 1);
    while (length > 0) {
        size_t plain = plain_bytes(text, length);

        if (plain > 0) {
            put(line, text, plain);
        } else {
            plain = 1;
            snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*text);
            put_string(line, escaped);
        }
        text += plain;
        length -= plain;
    }
    put(line, "\"", 1);
}

/* People do paste the password into the wrong field. */
static void put_user(struct line *line, const struct apw_decision *decision)
{
    if (apw_password_is_login(decision->user, decision->user_length))
        put_string(line, "\"(app password)\"");
    else
        put_quoted(line, decision->user, decision->user_length);
}

static void put_field(struct line *line, const char *key, const char *value)
{
    put_string(line, key);
    put_string(line, value[0] != '\0' ? value : "-");
}

static void put_extras(struct line *line, const struct apw_decision *decision)
{
    if (decision->action != NULL)
        put_field(line, " action=", decision->action);
    if (decision->would_refuse)
        put_field(line, " would-refuse=", apw_reason_name(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA));
    if (decision->is_exempt)
        put_field(line, " exempt=", "network");
    if (decision->dn != NULL) {
        put_string(line, " dn=");
        put_quoted(line, decision->dn, strnlen(decision->dn, DN_BYTES_MAX));
    }
    if (decision->verdict != APW_ACCEPTED && decision->detail.text[0] != '\0') {
        put_string(line, " error=");
        put_quoted(line, decision->detail.text, strlen(decision->detail.text));
    }
}

void apw_event_format(const struct apw_decision *decision, char line_r[APW_EVENT_SIZE])
{
    struct line line = {.text = line_r, .size = APW_EVENT_SIZE};

    put_field(&line, "app-password: verdict=", apw_verdict_name(decision->verdict));
    put_field(&line, " reason=", apw_reason_name(decision->reason));
    put_string(&line, " user=");
    put_user(&line, decision);
    put_field(&line, " service=", decision->service);
    put_field(&line, " client=", decision->client);
    put_field(&line, " id=", decision->id);
    put_extras(&line, decision);
}

/* Opens the file for appending; one that is not there yet is made readable for its group, whatever
 * the host program's umask. */
static int open_file(const char *path)
{
    /* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = open(path, flags | O_CREAT | O_EXCL, 0640);
    if (fd >= 0)
        fchmod(fd, 0640);
    else if (errno == EEXIST) /* another process was faster */
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
    if (log->fd < 0) /* connects to the syslog socket, which may be out of reach after chroot() */
        syslog(log->facility | LOG_DEBUG, "app-password: logins are logged here");
    *log_r = log;
    return 0;
}

/* The line as it stands in a file, with the time in front; -1 with errno set. */
static int write_file(struct apw_log *log, const char *line)
{
    char stamped[APW_EVENT_SIZE + 32];
    time_t now = time(NULL);
    struct tm fields;
    size_t length = 0;
    ssize_t written;

    if (atomic_load(&log->is_torn))
        stamped[length++] = '\n'; /* what comes is a line of its own */
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

void apw_log_decision(struct apw_log *log, const struct apw_decision *decision)
{
    char line[APW_EVENT_SIZE];

    apw_event_format(decision, line);
    write_line(log, priority_of(decision->verdict), line);
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
