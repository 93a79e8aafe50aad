/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: writes events and warnings to a file or to syslog. Thread-safe.
 */
#ifndef APW_LOG_H
#define APW_LOG_H

#include "config.h"
#include "error.h"
#include "event.h"

struct apw_log;

/* Opens the configured log, a file or syslog, at once: call it before chroot(). A NULL config means
 * syslog's mail facility. */
int apw_log_open(const struct apw_config *config, struct apw_log **log_r, struct apw_error *error);

/* Writes the event's line: to the file in one O_APPEND write, after the time (RFC 3339, UTC) and a
 * space, or by syslog(3) without openlog(). If the file cannot be written, the line and the error
 * go to syslog. */
void apw_log_event(struct apw_log *log, const struct apw_event *event);

/* Writes "app-password: " and the text, for news that is not about a login. */
void apw_log_warning(struct apw_log *log, const char *text);
void apw_log_close(struct apw_log **log);

#endif
