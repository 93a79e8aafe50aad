/*
 * progress: how far a long command has come, on standard error where that is a terminal; nowhere
 * else is anything written. One at a time.
 */
#ifndef APW_PROGRESS_H
#define APW_PROGRESS_H

#include <stddef.h>

/* `total` 0 where it is not known; then it is a count, else a bar. */
void apw_progress_begin(size_t total);
/* One more is done. */
void apw_progress_step(void);
/* Takes it off the screen, so that a line can be printed; the next step brings it back. */
void apw_progress_hide(void);
void apw_progress_end(void);

#endif
