/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csv: cells for a spreadsheet (RFC 4180), on standard output.
 */
#ifndef APW_CSV_H
#define APW_CSV_H

/* Prints `text` in quotes, then `end`: a comma, or a newline after the last cell. No part of it can
 * become a formula, and unprintable bytes come out as question marks. */
void apw_csv_print_cell(const char *text, char end);

#endif
