/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress: shows the progress of a long command on standard error, if that is a terminal. One at a
 * time.
 */
#ifndef APW_PROGRESS_H
#define APW_PROGRESS_H

#include <stddef.h>

/* Shows a bar; or, if `total` is 0 (unknown), how many there were so far and how many a second.
 * `what` says what is counted, like "users"; borrowed until apw_progress_end(). */
void apw_progress_begin(const char *what, size_t total);
void apw_progress_step(void);
/* Removes it from the screen, so that a line can be printed; the next step shows it again. */
void apw_progress_hide(void);
void apw_progress_end(void);

#endif
