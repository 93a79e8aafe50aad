/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data: reading them, their usage errors, and --help of every command. */

#include "capture.h"
#include "commands.h"
#include "help.h"
#include "invocation.h"
#include "option.h"

enum { PLAIN, VALUE, LIST, MAYBE, LETTER, BOTH };

static const struct apw_option table[] = {
    [PLAIN] = {.name = "plain", .help = "takes no value"},
    [VALUE] = {.name = "value", .argument = "TEXT", .help = "takes one"},
    [LIST] = {.name = "list", .argument = "NAME,...", .help = "takes several"},
    [MAYBE] = {.name = "maybe",
               .argument = "PERIOD",
               .is_argument_optional = true,
               .help = "may take one"},
    [LETTER] = {.letter = 'x', .argument = "FILE", .help = "has no name"},
    [BOTH] = {.name = "both", .letter = 'b', .help = "has a name and a letter"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

#define WORDS_MAX 8

struct row {
    const char *name;
    const char *word[WORDS_MAX];
    const char *error; /* NULL: read */
    int given;         /* the option that is given */
    const char *value;
    int operands;
};

static const struct row rows[] = {
    {"nothing", {NULL}, NULL, -1, NULL, 0},
    {"an option without a value", {"--plain"}, NULL, PLAIN, NULL, 0},
    {"a value of its own", {"--value", "v"}, NULL, VALUE, "v", 0},
    {"a value after an equals sign", {"--value=v"}, NULL, VALUE, "v", 0},
    {"an empty value", {"--value="}, NULL, VALUE, "", 0},
    {"an abbreviation", {"--val", "v"}, NULL, VALUE, "v", 0},
    {"an optional value", {"--maybe=5m"}, NULL, MAYBE, "5m", 0},
    {"an optional value that is left out", {"--maybe", "5m"}, NULL, MAYBE, NULL, 1},
    {"a letter", {"-x", "v"}, NULL, LETTER, "v", 0},
    {"a letter with its value", {"-xv"}, NULL, LETTER, "v", 0},
    {"a letter of an option with a name", {"-b"}, NULL, BOTH, NULL, 0},
    {"an option after an operand", {"one", "--value", "v", "two"}, NULL, VALUE, "v", 2},
    {"no option after two hyphens", {"--", "--value"}, NULL, -1, NULL, 1},
    {"an unknown name", {"--other=secret"}, "no such option: --other\n", 0, NULL, 0},
    {"an unknown letter", {"-z"}, "no such option: -z\n", 0, NULL, 0},
    {"a missing value", {"--value"}, "option --value needs a value\n", 0, NULL, 0},
    {"a missing value of a letter", {"-x"}, "option -x needs a value\n", 0, NULL, 0},
    {"a value too many", {"--plain=secret"}, "option --plain takes no value\n", 0, NULL, 0},
    {"a repeated option",
     {"--value", "a", "--value", "b"},
     "option --value is given twice\n",
     0,
     NULL,
     0},
    {"a repeated letter", {"-x", "a", "-x", "b"}, "option -x is given twice\n", 0, NULL, 0},
    {"repeated by name and letter", {"--both", "-b"}, "option --both is given twice\n", 0, NULL, 0},
    {"a repeated list", {"--list", "a", "--list", "b"}, "separated by commas", 0, NULL, 0},
};

static int read_words(const char *const *words, bool is_leading, struct apw_options *options,
                      struct capture *capture)
{
    static char *argv[WORDS_MAX + 2]; /* getopt() changes the order; options point into it */
    int argc = 1, status;

    argv[0] = (char *)"command";
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        argv[argc++] = (char *)words[i];
    argv[argc] = NULL;
    capture_start(capture);
    status = is_leading ? apw_option_read_leading(table, argc, argv, options)
                        : apw_option_read(table, argc, argv, options);
    capture_end(capture);
    return status;
}

static void test_read(void **state)
{
    const struct row *row = *state;
    struct apw_options options;
    static struct capture capture;

    if (row->error != NULL) {
        assert_int_equal(read_words(row->word, false, &options, &capture), -1);
        assert_contains(capture.err, row->error);
        assert_contains(capture.err, "--help");
        assert_null(strstr(capture.err, "secret"));
        return;
    }
    assert_int_equal(read_words(row->word, false, &options, &capture), 0);
    assert_string_equal(capture.err, "");
    assert_int_equal(options.count, row->operands);
    for (int i = PLAIN; i <= BOTH; i++)
        assert_int_equal(options.is_given[i], i == row->given);
    if (row->given >= 0 && row->value != NULL)
        assert_string_equal(options.value[row->given], row->value);
    else if (row->given >= 0)
        assert_null(options.value[row->given]);
}

/* Options after COMMAND are the command's. */
static void test_leading(void **state)
{
    static const char *const words[WORDS_MAX] = {"-x", "v", "command", "--unknown"};
    struct apw_options options;
    static struct capture capture;

    (void)state;
    assert_int_equal(read_words(words, true, &options, &capture), 0);
    assert_true(options.is_given[LETTER]);
    assert_int_equal(options.count, 2);
    assert_string_equal(options.operand[0], "command");
}

static void test_help_ends(void **state)
{
    static const char *const words[WORDS_MAX] = {"--plain", "-h", "--unknown"};
    struct apw_options options;
    static struct capture capture;

    (void)state;
    assert_int_equal(read_words(words, false, &options, &capture), 0);
    assert_true(options.is_help);
}

static void test_period(void **state)
{
    static const char *const wrong[] = {"", "180", "0d", "-1d", "x", "180d "};
    static struct capture capture;
    int64_t seconds;

    (void)state;
    assert_int_equal(apw_option_period("--unused", "180d", &seconds), 0);
    assert_int_equal(seconds, 180 * 86400);
    for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
        int status;

        capture_start(&capture);
        status = apw_option_period("--unused", wrong[i], &seconds);
        capture_end(&capture);
        assert_int_equal(status, -1);
        assert_contains(capture.err, "--unused");
    }
}

static int count_rows(const struct apw_option *option)
{
    int count = 0;

    while (!apw_option_is_last(&option[count]))
        count++;
    return count;
}

/* Every table fits, has the help row, and no option twice. */
static void check_table(const struct apw_option *option)
{
    bool has_help = false;

    assert_true(count_rows(option) <= APW_OPTION_MAX);
    for (int i = 0; i < count_rows(option); i++) {
        has_help = has_help || option[i].letter == 'h';
        assert_non_null(option[i].help);
        for (int j = 0; j < i; j++) {
            assert_true(option[i].letter == '\0' || option[i].letter != option[j].letter);
            assert_true(option[i].name == NULL || option[j].name == NULL ||
                        strcmp(option[i].name, option[j].name) != 0);
        }
    }
    assert_true(has_help);
}

static void test_tables(void **state)
{
    (void)state;
    check_table(apw_invocation_options);
    for (size_t i = 0; apw_commands[i] != NULL; i++)
        check_table(apw_commands[i]->options);
}

static void test_help(void **state)
{
    static struct capture capture;

    (void)state;
    capture_start(&capture);
    apw_help_print(apw_commands, apw_invocation_options);
    capture_end(&capture);
    for (char *line = strtok(capture.out, "\n"); line != NULL; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 80);
}

static void test_help_of_a_command(void **state)
{
    static const struct apw_command command = {
        .name = "try", .options = table, .usage = "USER...", .help = "tries it"};
    static struct capture capture;

    (void)state;
    capture_start(&capture);
    apw_help_print_command(&command);
    capture_end(&capture);
    assert_contains(capture.out, "\n  try USER...                      tries it\n");
    assert_contains(capture.out, "\n      --plain                      takes no value\n");
    assert_contains(capture.out, "\n      --value TEXT                 takes one\n");
    assert_contains(capture.out, "\n      --maybe[=PERIOD]             may take one\n");
    assert_contains(capture.out, "\n      -x FILE                      has no name\n");
    assert_contains(capture.out, "\n      -b, --both                   has a name and a letter\n");
    assert_contains(capture.out, "\n      -h, --help                   print this summary\n");
}

int main(void)
{
    UNIT_ROWS(rows, test_read);
    UNIT_TEST("options before COMMAND end there", test_leading);
    UNIT_TEST("--help ends the reading", test_help_ends);
    UNIT_TEST("a period is read, or named", test_period);
    UNIT_TEST("every table of a command is sound", test_tables);
    UNIT_TEST("no line of --help is wider than a terminal", test_help);
    UNIT_TEST("--help of a command has each of its options", test_help_of_a_command);
    return unit_run();
}
