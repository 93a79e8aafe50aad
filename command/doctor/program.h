/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program: another program's output, such as postconf's.
 */
#ifndef APW_DOCTOR_PROGRAM_H
#define APW_DOCTOR_PROGRAM_H

#include <stddef.h>

#define APW_DOCTOR_PROGRAM_SIZE 262144 /* bytes of output that are kept */

/* Runs a program of PATH, or of /usr/sbin, without input and in the locale C. *output_r has what it
 * printed, standard error included; the caller frees it. Returns its exit status, or -1 if it could
 * not be run or ended by a signal; *output_r then says why, or is NULL if out of memory. */
int apw_doctor_program_run(const char *const arguments[], char **output_r);

/* Ends the line at `text`, and returns the start of the next; NULL after the last one. */
char *apw_doctor_program_next_line(char *text);

#endif
