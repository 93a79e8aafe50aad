/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists in CSV: what spreadsheets write is read, and anything unclear is an error with its line. */
#include "sheet.h"
#include "unit.h"

static const char *const columns[] = {"user", "label", "services", NULL};

/* `text`, copied so that a byte read too far is found. */
static int parse(const char *text, size_t length, bool ignores_others, struct apw_sheet *sheet_r,
                 struct apw_error *error)
{
    const struct apw_sheet_format format = {columns, ignores_others};
    char *copy = malloc(length + 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return apw_sheet_parse(copy, length, &format, sheet_r, error);
}

/* Rows as "user|label|services;", with the number of the line if it is not as expected. */
static const struct good_case {
    const char *name;
    const char *text;
    const char *rows;
    bool ignores_others;
} good[] = {
    {"a list of users", "user\nalice\nbob\n", "2 alice||;3 bob||;", false},
    {"the last line without an end", "user\nalice", "2 alice||;", false},
    {"line ends of Windows", "user,label\r\nalice,x\r\nbob,y\r\n", "2 alice|x|;3 bob|y|;", false},
    {"columns in any order and case", "Services,USER,label\nsmtp,alice,x\n", "2 alice|x|smtp;",
     false},
    {"a byte-order mark in front", "\xef\xbb\xbfuser\nalice\n", "2 alice||;", false},
    {"a byte-order mark and quotation marks", "\xef\xbb\xbf\"user\"\n\"alice\"\n", "2 alice||;",
     false},
    {"semicolons, and commas inside a cell", "user;services\nalice;smtp,imap\n",
     "2 alice||smtp,imap;", false},
    {"tabs", "user\tlabel\nalice\ta, b; c\n", "2 alice|a, b; c|;", false},
    {"commas inside quotation marks", "user,services\nalice,\"smtp,imap\"\n", "2 alice||smtp,imap;",
     false},
    {"quotation marks inside quotation marks", "user,label\nalice,\"a \"\"b\"\"\"\n",
     "2 alice|a \"b\"|;", false},
    {"an empty cell in quotation marks", "user,label\nalice,\"\"\n", "2 alice||;", false},
    {"a quoted cell before the line end of Windows", "user,label\r\nalice,\"x\"\r\nbob,\"y\"\r\n",
     "2 alice|x|;3 bob|y|;", false},
    {"a line end inside a cell, which counts", "user,label\nalice,\"a\nb\"\nbob,c\n",
     "2 alice|a\nb|;4 bob|c|;", false},
    {"white space around cells", "user , label\n alice\t, x y \n", "2 alice|x y|;", false},
    {"rows without content", "user,label\n\n,\n  ,\nalice,x\n\n", "5 alice|x|;", false},
    {"rows without content before the first line", "\n,,\nuser,label\nalice,x\n", "4 alice|x|;",
     false},
    {"other columns, if they are ignored", "name,user,mail\nAlice,alice,a@example.org\n",
     "2 alice||;", true},
    {"a missing cell at the end", "user,label\nalice,\n", "2 alice||;", false},
    {"a user called -", "user\n-\n", "2 -||;", false},
};

static void test_good(void **state)
{
    const struct good_case *row = *state;
    struct apw_error error = {""};
    struct apw_sheet sheet;
    char rows[512] = "";

    if (parse(row->text, strlen(row->text), row->ignores_others, &sheet, &error) != 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < sheet.count; i++)
        snprintf(rows + strlen(rows), sizeof rows - strlen(rows), "%u %s|%s|%s;", sheet.line[i],
                 sheet.cell[i * 3], sheet.cell[i * 3 + 1], sheet.cell[i * 3 + 2]);
    assert_string_equal(rows, row->rows);
    apw_sheet_free(&sheet);
    assert_null(sheet.text);
}

#define BYTES(text) text, sizeof text - 1

static const struct bad_case {
    const char *name;
    const char *text;
    size_t length;
    const char *error;
} bad[] = {
    {"nothing", BYTES(""), "1: the first line must name the columns, among them \"user\""},
    {"a list without its first line", BYTES("alice\nbob\n"),
     "1: unknown column \"alice\"; the first line must name the columns: user, label, services"},
    {"an unknown column", BYTES("user,lable\nalice,x\n"), "1: unknown column \"lable\""},
    {"a column without a name", BYTES("user,\nalice,x\n"), "1: unknown column \"\""},
    {"a column twice", BYTES("user,label,User\na,b,c\n"), "1: the column \"User\" is there twice"},
    {"no column with users", BYTES("label\nx\n"), "among them \"user\""},
    {"no rows", BYTES("user,label\n\n"), "no rows below the first line"},
    {"a row that is too long", BYTES("user,label\nalice,x\nbob,y,z\n"),
     "3: 3 cells, but the first line names 2 columns"},
    {"a row that is too short", BYTES("user,label\nalice\n"),
     "2: 1 cells, but the first line names 2 columns"},
    {"a quotation mark inside a cell", BYTES("user,label\nalice,19\" screen\n"),
     "2: put a cell with quotation marks between quotation marks"},
    {"text behind a quotation mark", BYTES("user,label\nalice,\"x\"y\n"),
     "2: put a cell with quotation marks"},
    {"a quotation mark that does not end", BYTES("user,label\nbob,y\nalice,\"x\ny\nz\n"),
     "3: a cell begins with a quotation mark and does not end with one"},
    {"a quotation mark at the very end", BYTES("user\n\""),
     "2: a cell begins with a quotation mark"},
    {"a NUL byte", BYTES("user\nali\0ce\n"), "1: not UTF-8"},
    {"UTF-16", BYTES("\xff\xfeu\0s\0e\0r\0"), "1: not UTF-8; save the list as \"CSV UTF-8\""},
    {"Latin 1", BYTES("user,label\nalice,B\xfcro\n"), "1: not UTF-8"},
};

static void test_bad(void **state)
{
    const struct bad_case *row = *state;
    struct apw_error error = {""};
    struct apw_sheet sheet;

    assert_int_equal(parse(row->text, row->length, false, &sheet, &error), -1);
    assert_contains(error.text, row->error);
    assert_null(sheet.text);
    assert_int_equal(sheet.count, 0);
}

/* `count` lines of `line` below the first one. */
static char *repeat(const char *first, const char *line, size_t count, size_t *length_r)
{
    char *text;
    FILE *stream = open_memstream(&text, length_r);

    assert_non_null(stream);
    fputs(first, stream);
    for (size_t i = 0; i < count; i++)
        fputs(line, stream);
    fclose(stream);
    return text;
}

static void test_many(void **state)
{
    const struct apw_sheet_format format = {columns, false};
    struct apw_error error = {""};
    struct apw_sheet sheet;
    size_t length;
    char *text = repeat("user\n", "alice\n", APW_SHEET_ROWS_MAX, &length);

    (void)state;
    assert_int_equal(apw_sheet_parse(text, length, &format, &sheet, &error), 0);
    assert_int_equal(sheet.count, APW_SHEET_ROWS_MAX);
    apw_sheet_free(&sheet);
    text = repeat("user\n", "alice\n", APW_SHEET_ROWS_MAX + 1, &length);
    assert_int_equal(apw_sheet_parse(text, length, &format, &sheet, &error), -1);
    assert_contains(error.text, "10002: more than 10000 rows");
    text = repeat("user", ",label", 64, &length);
    assert_int_equal(apw_sheet_parse(text, length, &format, &sheet, &error), -1);
    assert_contains(error.text, "1: more than 64 columns");
}

static void test_file(void **state)
{
    const struct apw_sheet_format format = {columns, false};
    struct apw_error error = {""};
    struct apw_sheet sheet;
    char path[UNIT_PATH_SIZE];

    (void)state;
    unit_write(unit_path("list.csv", path), "user\nalice\n", 11);
    assert_int_equal(apw_sheet_read(path, &format, &sheet, &error), 0);
    assert_string_equal(apw_sheet_cell(&sheet, 0, 0), "alice");
    assert_null(apw_sheet_cell(&sheet, 0, 1));
    apw_sheet_free(&sheet);
    unit_write(path, "user\n\"", 6);
    assert_int_equal(apw_sheet_read(path, &format, &sheet, &error), -1);
    assert_contains(error.text, "/list.csv:2: a cell begins");
    assert_int_equal(apw_sheet_read("/nonexistent.csv", &format, &sheet, &error), -1);
    assert_contains(error.text, "/nonexistent.csv: No such file");
    assert_int_equal(apw_sheet_read("/dev/zero", &format, &sheet, &error), -1);
    assert_contains(error.text, "/dev/zero: larger than 4194304 bytes");
    assert_int_equal(apw_sheet_read("/", &format, &sheet, &error), -1);
    assert_contains(error.text, "/: Is a directory");
}

int main(void)
{
    UNIT_ROWS(good, test_good);
    UNIT_ROWS(bad, test_bad);
    UNIT_TEST("the number of rows and columns is limited", test_many);
    UNIT_TEST("errors name the file, and its size is limited", test_file);
    return unit_run();
}
