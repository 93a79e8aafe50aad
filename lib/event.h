/*
 * event: one log line per login. The line is an interface; fail2ban and people read it.
 *
 *   app-password: verdict=refused reason=account-password-with-mfa user="alice" service=smtp
 *   client=203.0.113.7 id=-
 *
 * (one line). Behind it, where they apply: action= would-refuse= exempt= dn="" error="".
 */
#ifndef APW_EVENT_H
#define APW_EVENT_H

#include "config.h"
#include "error.h"
#include "verify.h"
#include <stddef.h>

#define APW_EVENT_SIZE 6144

struct apw_log;

/* Writes the line, without a newline; cut where it does not fit. */
void apw_event_format(const struct apw_decision *decision, char line_r[APW_EVENT_SIZE]);

/* Opens the log that the configuration names, FILE or syslog, at once: call it before chroot(). A
 * NULL config gives syslog's mail facility. */
int apw_log_open(const struct apw_config *config, struct apw_log **log_r, struct apw_error *error);

/* Writes the line: to the file in one O_APPEND write, with the time (RFC 3339, UTC) and a space in
 * front, or by syslog(3) without openlog(). Where the
 * file cannot be written the line goes to syslog, with the reason. Thread-safe. */
void apw_log_decision(struct apw_log *log, const struct apw_decision *decision);

/* Writes "app-password: " and the text, which is about no login. */
void apw_log_warning(struct apw_log *log, const char *text);
void apw_log_close(struct apw_log **log);

#endif
