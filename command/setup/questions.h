/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * questions: where the answers come from: the file of --answers, this host, and the terminal.
 */
#ifndef APW_SETUP_QUESTIONS_H
#define APW_SETUP_QUESTIONS_H

#include "error.h"
#include "setup/answers.h"
#include <stdio.h>

/* Reads a file of `key value` lines into answers that are zeroed. */
int apw_setup_questions_read(const char *path, struct apw_setup_answers *answers_r,
                             struct apw_error *error);

/* Gives one answer. -1 if it is invalid. */
int apw_setup_questions_set(struct apw_setup_answers *answers, enum apw_setup_key key,
                            const char *value, struct apw_error *error);

/* Finds the other answers on this host; asks for them if standard input is a terminal. -1 if one is
 * missing or invalid. */
int apw_setup_questions_complete(struct apw_setup_answers *answers, struct apw_error *error);

/* Writes them as apw_setup_questions_read() reads them. */
void apw_setup_questions_write(const struct apw_setup_answers *answers, FILE *file);

#endif
