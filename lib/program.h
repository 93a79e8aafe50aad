/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program: runs another program of PATH, or of /usr/sbin, in the locale C.
 *
 * `argv` ends in NULL. Each function returns the exit status, or -1 if the program could not be run
 * or was ended by a signal. Those that read end it after APW_PROGRAM_LIMIT_S, unless they say
 * otherwise.
 */
#ifndef APW_PROGRAM_H
#define APW_PROGRAM_H

#include <stddef.h>

#define APW_PROGRAM_LIMIT_S     30
#define APW_PROGRAM_OUTPUT_SIZE 262144 /* bytes of output that apw_program_read_all() keeps */

/* Reads what the program prints, but not its messages; what does not fit is dropped. It has no
 * input. */
int apw_program_read(const char *const *argv, char *output_r, size_t size);

/* As above, but ends the program after `limit_s`. */
int apw_program_read_within(const char *const *argv, int limit_s, char *output_r, size_t size);

/* As above, with its messages. *output_r, which the caller frees, says why it could not be run
 * or was ended; NULL without memory. */
int apw_program_read_all(const char *const *argv, char **output_r);

/* As above, with an input of less than 4096 bytes, which may be a secret. */
int apw_program_feed(const char *const *argv, const char *input, char **output_r);

/* With the standard streams of this process. */
int apw_program_run(const char *const *argv);

/* Ends the line at `text`, and returns the start of the next; NULL after the last one. */
char *apw_program_next_line(char *text);

#endif
