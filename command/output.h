/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output: standard output.
 */
#ifndef APW_OUTPUT_H
#define APW_OUTPUT_H

/* Prints one line, cut if it is too long. Control characters and changes of direction come out as
 * question marks, because texts from the directory must not reach a terminal raw. */
void apw_output_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output. If anything could not be written, says so and returns -1. */
int apw_output_finish(void);

#endif
