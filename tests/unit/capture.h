/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture: collects the output of a function. Assert only after capture_end(): a failed assertion
 * in between would be captured, too.
 */
#ifndef APW_CAPTURE_H
#define APW_CAPTURE_H

#include "unit.h"

#define CAPTURE_SIZE 8192

struct capture {
    FILE *file[2];
    int before[2]; /* standard output and standard error */
    char out[CAPTURE_SIZE];
    char err[CAPTURE_SIZE];
};

static inline void capture_start(struct capture *capture)
{
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        capture->file[i] = tmpfile();
        capture->before[i] = dup(1 + i);
        if (capture->file[i] == NULL || capture->before[i] < 0 ||
            dup2(fileno(capture->file[i]), 1 + i) < 0)
            abort();
    }
}

static inline void capture_end(struct capture *capture)
{
    char *text[2] = {capture->out, capture->err};

    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        size_t length;

        dup2(capture->before[i], 1 + i);
        close(capture->before[i]);
        rewind(capture->file[i]);
        length = fread(text[i], 1, CAPTURE_SIZE - 1, capture->file[i]);
        text[i][length] = '\0';
        fclose(capture->file[i]);
    }
}

#endif
