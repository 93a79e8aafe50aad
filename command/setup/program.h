/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program: runs another program.
 */
#ifndef APW_SETUP_PROGRAM_H
#define APW_SETUP_PROGRAM_H

#include <stddef.h>

/* Runs a program, found in PATH, without input, and reads what it prints; what does not fit is
 * dropped, and so are its messages. Returns its exit status, or -1 if it cannot be run. `argv` ends
 * in NULL. */
int apw_setup_program_read(const char *const *argv, char *output_r, size_t size);

/* The same with the standard streams of this process. */
int apw_setup_program_run(const char *const *argv);

#endif
