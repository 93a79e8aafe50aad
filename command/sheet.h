/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sheet: a list in CSV (RFC 4180), as spreadsheets write it.
 *
 * The first line names the columns, in any order and case. Commas, semicolons or tabs separate the
 * cells; the first of them in that line counts. White space around a cell and rows without content
 * are ignored.
 */
#ifndef APW_SHEET_H
#define APW_SHEET_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

#define APW_SHEET_BYTES_MAX (4 * 1024 * 1024)
#define APW_SHEET_ROWS_MAX  10000

struct apw_sheet_format {
    const char *const *columns; /* the ones to read; the first is required; NULL follows */
    bool ignores_others;        /* other columns are no error */
};

struct apw_sheet {
    size_t count;
    size_t width;      /* number of `columns` */
    unsigned *line;    /* of the file, for each row */
    const char **cell; /* row by row; "" if it is empty or missing */
    char *text;        /* what they point into */
};

/* Reads a file, or standard input for "-". Fails with "FILE:line: what is wrong". */
int apw_sheet_read(const char *path, const struct apw_sheet_format *format,
                   struct apw_sheet *sheet_r, struct apw_error *error);

/* Takes `text`, which is `length` bytes and a NUL, and which free() frees. The error begins with
 * the number of the line. */
int apw_sheet_parse(char *text, size_t length, const struct apw_sheet_format *format,
                    struct apw_sheet *sheet_r, struct apw_error *error);

/* The cell of a row, or NULL if it is empty. */
const char *apw_sheet_cell(const struct apw_sheet *sheet, size_t row, size_t column);

void apw_sheet_free(struct apw_sheet *sheet);

#endif
