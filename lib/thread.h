/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread: a short-lived thread in the host's process.
 */
#ifndef APW_THREAD_H
#define APW_THREAD_H

/* Starts a detached thread with a small stack. It blocks every signal, so that the host's handlers
 * never run in it. Returns 0 or an errno. */
int apw_thread_start(void *(*run)(void *), void *argument);

#endif
