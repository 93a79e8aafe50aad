/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: writes events and warnings to a file, to standard error or to syslog. Thread-safe.
 */
#ifndef APW_LOG_H
#define APW_LOG_H

#include "audit.h"
#include "config.h"
#include "error.h"
#include "event.h"
#include <stdbool.h>

struct apw_log;

/* Opens the configured log at once: call it before chroot(). A NULL config means syslog's mail
 * facility. Fails if the file cannot be opened, or if standard error cannot be a
 * log (see outlet.h). */
int apw_log_open(const struct apw_config *config, struct apw_log **log_r, struct apw_error *error);

/* As above, in a program of our own, whose standard error may be a terminal. */
int apw_log_open_own(const struct apw_config *config, struct apw_log **log_r,
                     struct apw_error *error);

/* Returns true once, after the first line that neither the sink nor syslog accepted, with the
 * reason for the host's own log. */
bool apw_log_take_loss(struct apw_log *log, struct apw_error *loss_r);

/* Writes the event's line: to the file in one O_APPEND write, after the time (RFC 3339, UTC) and a
 * space, to standard error, or by syslog(3) without openlog(). If the file was rotated, it opens
 * the new one if it can. If the file or standard error cannot be written at once, or the file was
 * deleted, the line and the error go to syslog. If no syslog server listens, each
 * process says so once on standard error. */
void apw_log_event(struct apw_log *log, const struct apw_event *event);

/* The same for open sessions that were ended. */
void apw_log_kick(struct apw_log *log, const struct apw_event *event);

/* The same for a change of app passwords or MFA: a notice if it is done, else a warning. */
void apw_log_audit(struct apw_log *log, const struct apw_audit *audit);

/* Writes "app-password: " and the text, for news that is not about a login. */
void apw_log_warning(struct apw_log *log, const char *text);
void apw_log_close(struct apw_log **log);

#endif
