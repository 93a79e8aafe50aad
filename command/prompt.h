/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prompt: reads passwords from a terminal, or from a file or pipe.
 *
 * The line, without its end, goes to buffer_r without a terminating NUL. Bytes that do not fit are
 * dropped, so pass a buffer that is larger than the longest valid password. Wipe it afterwards.
 */
#ifndef APW_PROMPT_H
#define APW_PROMPT_H

#include "error.h"
#include <stddef.h>

/* Asks on /dev/tty, without echo. */
int apw_prompt_terminal(const char *question, char *buffer_r, size_t size, size_t *length_r,
                        struct apw_error *error);

/* Reads one line of standard input; if that is a terminal, asks there. */
int apw_prompt_input(const char *question, char *buffer_r, size_t size, size_t *length_r,
                     struct apw_error *error);

#endif
