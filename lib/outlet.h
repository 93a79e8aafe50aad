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

/* 0 if a syslog server listens, or if that cannot be told; else why a line would be lost, since
 * syslog(3) does not say: ENOENT, ECONNREFUSED, EACCES and the like. A process that connected
 * before chroot() may have one all the same. */
int apw_outlet_find_syslog(void);

/* What standard error was at the start. Zeroed: nothing that we may write to. */
struct apw_outlet {
    bool is_log;
    dev_t device;
    ino_t inode;
};

/* Fails unless standard error is a log: a pipe, a file opened for appending, or the journal; for a
 * program of our own, also a terminal. Anything else may be a client's socket, a database or a
 * user's screen, and the standard error of a setuid program is its user's. */
int apw_outlet_find_stderr(bool is_own_program, struct apw_outlet *outlet_r,
                           struct apw_error *error);

/* Descriptor 2 if that still is what was found, or -1 with errno: hosts close it and open something
 * else. It is not duplicated, because whoever starts a daemon may wait for the end of its pipe. */
int apw_outlet_stderr(const struct apw_outlet *outlet);

/* Writes all of the text in one write, or -1 with errno: EAGAIN if that would wait, EPIPE without
 * SIGPIPE. *written_r is the number of bytes that arrived. */
int apw_outlet_write(int fd, const char *text, size_t length, size_t *written_r);

#endif
