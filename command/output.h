/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output: standard output.
 */
#ifndef APW_OUTPUT_H
#define APW_OUTPUT_H

/* Prints one line, cut if it is too long. Control characters and changes of direction come out as
 * question marks, because texts from the directory must not reach a terminal raw. */
void apw_output_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a secret and a line end, without stdio, whose buffer would not be wiped, and closes
 * standard output, because some file systems report only then that the disk is full. -1 with errno
 * set. */
int apw_output_secret(const char *text);

/* Prints what is waiting and then the last cell of a line of CSV, a secret of letters, digits and
 * hyphens, which leaves no copy behind. -1 with errno set. */
int apw_output_secret_cell(const char *text);

/* Closes standard output, and tells whether all of it was written. -1 with errno set. */
int apw_output_close(void);

/* Flushes standard output. If anything could not be written, says so and returns -1. */
int apw_output_finish(void);

#endif
