/* SPDX-License-Identifier: BSD-2-Clause */
#include "sheet.h"
#include "ignorable.h"
#include "utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 64 /* in a file */
#define NONE        ((size_t)-1)

/* Cells lose their quotation marks in place, because they only become shorter. */
struct parser {
    const struct apw_sheet_format *format;
    char *next;
    unsigned line;
    char separator;
    struct apw_error *error;
};

/* One row of the file. */
struct record {
    unsigned line; /* where it begins */
    size_t count;
    bool has_content;
    const char *cell[COLUMNS_MAX];
};

/* Reads the rest of a cell in quotation marks. */
static int read_quoted(struct parser *parser, char **end_r)
{
    unsigned line = parser->line;
    char *to = parser->next;

    for (;; parser->next++) {
        if (*parser->next == '"' && *++parser->next != '"')
            break;
        if (*parser->next == '\0')
            return apw_error_set(parser->error,
                                 "%u: a cell begins with a quotation mark and does "
                                 "not end with one",
                                 line);
        parser->line += *parser->next == '\n';
        *to++ = *parser->next;
    }
    *end_r = to;
    parser->next += parser->next[0] == '\r' && parser->next[1] == '\n';
    return 0;
}

/* Reads one cell and what ends it: the separator, a line end, or NUL. */
static int read_cell(struct parser *parser, const char **cell_r, char *end_r)
{
    const char stops[] = {parser->separator, '\n', '"', '\0'};
    char *end = NULL;
    size_t length;

    if (*parser->next == '"') {
        *cell_r = ++parser->next;
        if (read_quoted(parser, &end) != 0)
            return -1;
    } else {
        *cell_r = parser->next;
        parser->next = end = parser->next + strcspn(parser->next, stops);
    }
    *end_r = *parser->next;
    if (*end_r != parser->separator && *end_r != '\n' && *end_r != '\0')
        return apw_error_set(parser->error,
                             "%u: put a cell with quotation marks between quotation "
                             "marks, and double those inside",
                             parser->line);
    parser->next += *end_r != '\0';
    parser->line += *end_r == '\n';
    length = (size_t)(end - *cell_r);
    apw_ignorable_trim(cell_r, &length);
    ((char *)*cell_r)[length] = '\0';
    return 0;
}

/* Reads one row. */
static int read_record(struct parser *parser, struct record *record_r)
{
    char end;

    *record_r = (struct record){.line = parser->line};
    do {
        const char *cell;

        if (read_cell(parser, &cell, &end) != 0)
            return -1;
        if (record_r->count == COLUMNS_MAX)
            return apw_error_set(parser->error, "%u: more than %d columns", record_r->line,
                                 COLUMNS_MAX);
        record_r->cell[record_r->count++] = cell;
        record_r->has_content |= *cell != '\0';
    } while (end == parser->separator);
    return 0;
}

/* Reads the next row with content. Its count is 0 at the end. */
static int read_content(struct parser *parser, struct record *record_r)
{
    do {
        if (*parser->next == '\0') {
            record_r->count = 0;
            return 0;
        }
        if (read_record(parser, record_r) != 0)
            return -1;
    } while (!record_r->has_content);
    return 0;
}

/* ---- the first line ---- */

static char find_separator(const char *text)
{
    text += strcspn(text, ",;\t\n");
    return *text == ';' || *text == '\t' ? *text : ',';
}

static size_t find_column(const struct apw_sheet_format *format, const char *name)
{
    for (size_t i = 0; format->columns[i] != NULL; i++)
        if (strcasecmp(format->columns[i], name) == 0)
            return i;
    return NONE;
}

static int complain_about_column(const struct parser *parser, const struct record *header,
                                 const char *name)
{
    char known[256] = "";

    for (size_t i = 0; parser->format->columns[i] != NULL; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i == 0 ? "" : ", ",
                 parser->format->columns[i]);
    return apw_error_set(parser->error,
                         "%u: unknown column \"%s\"; the first line must name the columns: %s",
                         header->line, name, known);
}

/* Finds which of the format's columns each of the file's is; NONE for others. */
static int read_header(struct parser *parser, struct record *header_r, size_t meant_r[COLUMNS_MAX])
{
    bool is_first_there = false;

    if (read_content(parser, header_r) != 0)
        return -1;
    for (size_t i = 0; i < header_r->count; i++) {
        const char *name = header_r->cell[i];

        meant_r[i] = find_column(parser->format, name);
        if (meant_r[i] == NONE && !parser->format->ignores_others)
            return complain_about_column(parser, header_r, name);
        for (size_t j = 0; j < i; j++)
            if (meant_r[i] != NONE && meant_r[j] == meant_r[i])
                return apw_error_set(parser->error, "%u: the column \"%s\" is there twice",
                                     header_r->line, name);
        is_first_there |= meant_r[i] == 0;
    }
    return is_first_there ? 0
                          : apw_error_set(parser->error,
                                          "%u: the first line must name the columns, among them "
                                          "\"%s\"",
                                          header_r->count == 0 ? 1 : header_r->line,
                                          parser->format->columns[0]);
}

/* ---- the rows ---- */

static int grow(struct apw_sheet *sheet, size_t *room, struct apw_error *error)
{
    size_t more = *room == 0 ? 64 : *room * 2;
    unsigned *line;
    const char **cell;

    if (sheet->count < *room)
        return 0;
    if ((line = realloc(sheet->line, more * sizeof *line)) == NULL)
        return apw_error_set(error, "out of memory");
    sheet->line = line;
    if ((cell = realloc(sheet->cell, more * sheet->width * sizeof *cell)) == NULL)
        return apw_error_set(error, "out of memory");
    sheet->cell = cell;
    *room = more;
    return 0;
}

static void add_row(struct apw_sheet *sheet, const struct record *record,
                    const size_t meant[COLUMNS_MAX])
{
    const char **row = &sheet->cell[sheet->count * sheet->width];

    for (size_t i = 0; i < sheet->width; i++)
        row[i] = "";
    for (size_t i = 0; i < record->count; i++)
        if (meant[i] != NONE)
            row[meant[i]] = record->cell[i];
    sheet->line[sheet->count++] = record->line;
}

static int read_rows(struct parser *parser, struct apw_sheet *sheet)
{
    size_t meant[COLUMNS_MAX], room = 0;
    struct record header, record;

    if (read_header(parser, &header, meant) != 0)
        return -1;
    for (;;) {
        if (read_content(parser, &record) != 0)
            return -1;
        if (record.count == 0)
            break;
        if (record.count != header.count)
            return apw_error_set(parser->error,
                                 "%u: %zu cells, but the first line names %zu columns", record.line,
                                 record.count, header.count);
        if (sheet->count == APW_SHEET_ROWS_MAX)
            return apw_error_set(parser->error, "%u: more than %d rows; split the file",
                                 record.line, APW_SHEET_ROWS_MAX);
        if (grow(sheet, &room, parser->error) != 0)
            return -1;
        add_row(sheet, &record, meant);
    }
    return sheet->count > 0
               ? 0
               : apw_error_set(parser->error, "%u: no rows below the first line", parser->line);
}

int apw_sheet_parse(char *text, size_t length, const struct apw_sheet_format *format,
                    struct apw_sheet *sheet_r, struct apw_error *error)
{
    size_t mark = apw_ignorable_mark_bytes(text, length);
    struct parser parser = {.format = format, .next = text + mark, .line = 1, .error = error};

    *sheet_r = (struct apw_sheet){.text = text};
    while (format->columns[sheet_r->width] != NULL)
        sheet_r->width++;
    parser.separator = find_separator(parser.next);
    if (strlen(text) != length || !apw_utf8_is_valid(text, length))
        apw_error_set(error, "1: not UTF-8; save the list as \"CSV UTF-8\"");
    else if (read_rows(&parser, sheet_r) == 0)
        return 0;
    apw_sheet_free(sheet_r);
    return -1;
}

/* ---- the file ---- */

static int read_all(FILE *file, const char *name, char **text_r, size_t *length_r,
                    struct apw_error *error)
{
    char *text = calloc(1, APW_SHEET_BYTES_MAX + 2); /* one byte too many, and the NUL */

    if (text == NULL)
        return apw_error_set(error, "out of memory");
    *length_r = fread(text, 1, APW_SHEET_BYTES_MAX + 1, file);
    if (ferror(file)) {
        free(text);
        return apw_error_set(error, "%s: %s", name, strerror(errno));
    }
    if (*length_r > APW_SHEET_BYTES_MAX) {
        free(text);
        return apw_error_set(error, "%s: larger than %d bytes", name, APW_SHEET_BYTES_MAX);
    }
    *text_r = text;
    return 0;
}

int apw_sheet_read(const char *path, const struct apw_sheet_format *format,
                   struct apw_sheet *sheet_r, struct apw_error *error)
{
    bool is_input = strcmp(path, "-") == 0;
    const char *name = is_input ? "standard input" : path;
    FILE *file = is_input ? stdin : fopen(path, "re");
    struct apw_error wrong = {""};
    size_t length = 0;
    char *text = NULL;
    int status;

    *sheet_r = (struct apw_sheet){.count = 0};
    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    status = read_all(file, name, &text, &length, error);
    if (!is_input)
        fclose(file);
    if (status != 0)
        return -1;
    return apw_sheet_parse(text, length, format, sheet_r, &wrong) == 0
               ? 0
               : apw_error_set(error, "%s:%s", name, wrong.text);
}

const char *apw_sheet_cell(const struct apw_sheet *sheet, size_t row, size_t column)
{
    const char *cell = sheet->cell[row * sheet->width + column];

    return *cell == '\0' ? NULL : cell;
}

void apw_sheet_free(struct apw_sheet *sheet)
{
    free(sheet->line);
    free(sheet->cell);
    free(sheet->text);
    *sheet = (struct apw_sheet){.count = 0};
}
