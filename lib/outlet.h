/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outlet: where log lines leave the process: syslog's socket and standard error. Thread-safe.
 */
#ifndef APW_OUTLET_H
#define APW_OUTLET_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Why syslog(3), which reports no error, would lose a line: ENOENT, ECONNREFUSED, EACCES and the
 * like; 0 if a syslog server listens or we cannot tell. A process that connected before chroot()
 * may still reach a server. */
int apw_outlet_find_syslog(void);

/* Standard error at the start. Zeroed: we may not write to it. */
struct apw_outlet {
    bool is_log;
    dev_t device;
    ino_t inode;
};

/* Fails unless standard error is a log: a pipe, a file opened for appending, or the journal; for a
 * program of our own, also a terminal. Anything else may be a client's socket, a database or a
 * user's screen, and the standard error of a setuid program belongs to its user. */
int apw_outlet_find_stderr(bool is_own_program, struct apw_outlet *outlet_r,
                           struct apw_error *error);

/* Descriptor 2 if it is still the same file, or -1 with errno: hosts close it and open something
 * else. We keep no duplicate, because the parent of a daemon may wait for the end of its pipe. */
int apw_outlet_stderr(const struct apw_outlet *outlet);

/* Writes all of the text in one write, or -1 with errno: EAGAIN if that would wait, EPIPE without
 * SIGPIPE. A regular file does neither. *written_r is the number of bytes written. */
int apw_outlet_write(int fd, bool is_regular, const char *text, size_t length, size_t *written_r);

#endif
