/*
 * thread: a short-lived helper in the host's process.
 */
#ifndef APW_THREAD_H
#define APW_THREAD_H

/* Starts a detached thread with a small stack and every signal blocked: the host program's handlers
 * are not its business. Returns 0 or an errno. */
int apw_thread_start(void *(*run)(void *), void *argument);

#endif
