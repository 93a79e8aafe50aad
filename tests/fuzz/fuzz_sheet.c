/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists in CSV, which anybody may have written. */
#include "fuzz.h"
#include "mutate.h"
#include "password_options.h"
#include "sheet.h"
#include "utf8.h"

static const char *const columns[] = {"user", "label", "services", "expires", "from", NULL};

#define WIDTH (sizeof columns / sizeof columns[0] - 1)

static const struct fuzz_rule rules[] = {
    {'V', "%B%H%R%R%R|%B%H%R%R|%H%R|%H"},
    {'B', "|\xef\xbb\xbf"},
    {'H', "user,label%e|user,label,services,expires,from%e|from,%w,user,label%e|%w,%w%e|"
          "user;label;services%e|user\tlabel\texpires%e"},
    {'R', "%u,%l%e|%u,%l,%s,%x,%n%e|%n,%w,%u,%l%e|\"%w\",\"%l\"%e|%u;%l;%s%e|%u\t%l\t%x%e|%e"},
    {'e', "\n|\r\n|\r"},
    {'u', "alice|bob|alice@example.org|\"a\"\"b\"|%*"},
    {'l', "Laptop|\"Laptop, old\"|M\303\266bil|\"a\nb\"|%*|"},
    {'s', "smtp|\"smtp,imap\"|smtp imap|pop3|x|"},
    {'x', "90d|2099-01-31|2026-02-30|never|1h|36501d|%*|"},
    {'n', "192.0.2.0/24|\"192.0.2.0/24,2001:db8::/32\"|::1|%*|"},
    {'w', "%u|%l|%s|%x|%n|note"},
    {0, NULL},
};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    return fuzz_mutate_text(rules, ",;\t\n\r\"", bytes, length, size);
}

/* A line that is good makes a value that can be stored. */
static void try_row(const struct apw_sheet *sheet, size_t row)
{
    const char *value[APW_PASSWORD_OPTION_COUNT];
    char text[APW_RECORD_SIZE];
    struct apw_error error = {""};
    struct apw_password_spec spec;
    struct apw_record record;
    int64_t expires;

    value[APW_PASSWORD_OPTION_LABEL] = apw_sheet_cell(sheet, row, 1);
    value[APW_PASSWORD_OPTION_SERVICES] = apw_sheet_cell(sheet, row, 2);
    value[APW_PASSWORD_OPTION_EXPIRES] = apw_sheet_cell(sheet, row, 3);
    value[APW_PASSWORD_OPTION_FROM] = apw_sheet_cell(sheet, row, 4);
    if (value[APW_PASSWORD_OPTION_LABEL] == NULL)
        return;
    if (apw_password_options_parse(value, &spec, &expires, &record, &error) == 0)
        FUZZ_MUST(apw_record_format_limits(&record, text, &error) == 0 &&
                  apw_record_check_label(record.label, strlen(record.label), &error) == 0);
    else
        FUZZ_MUST(error.text[0] != '\0');
}

static void try_format(const uint8_t *bytes, size_t length, bool ignores_others)
{
    const struct apw_sheet_format format = {columns, ignores_others};
    struct apw_error error = {""};
    struct apw_sheet sheet;

    if (apw_sheet_parse(fuzz_text(bytes, length), length, &format, &sheet, &error) != 0) {
        FUZZ_MUST(error.text[0] >= '1' && error.text[0] <= '9');
        FUZZ_MUST(sheet.count == 0 && sheet.text == NULL);
        return;
    }
    FUZZ_MUST(sheet.count > 0 && sheet.count <= APW_SHEET_ROWS_MAX && sheet.width == WIDTH);
    for (size_t i = 0; i < sheet.count; i++) {
        FUZZ_MUST(sheet.line[i] > (i == 0 ? 1 : sheet.line[i - 1]));
        for (size_t j = 0; j < sheet.width; j++) {
            const char *cell = sheet.cell[i * sheet.width + j];

            FUZZ_MUST(*cell == '\0' || (cell >= sheet.text && cell < sheet.text + length));
            FUZZ_MUST(apw_utf8_is_valid(cell, strlen(cell)));
        }
        try_row(&sheet, i);
    }
    apw_sheet_free(&sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    try_format(bytes, length, false);
    try_format(bytes, length, true);
    return 0;
}
