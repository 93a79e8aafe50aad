/* SPDX-License-Identifier: BSD-2-Clause */
#include "option.h"
#include "clock.h"
#include "say.h"
#include <getopt.h>
#include <stddef.h>
#include <string.h>

/* getopt_long() returns these for rows of the table; below are letters and its own signs. */
#define FIRST_ROW 256

/* A table in the form of getopt_long(3). */
struct syntax {
    char shorts[2 + 3 * APW_OPTION_MAX + 1];
    struct option longs[APW_OPTION_MAX + 1];
};

bool apw_option_is_last(const struct apw_option *option)
{
    return option->name == NULL && option->letter == '\0';
}

static int argument_kind(const struct apw_option *option)
{
    if (option->argument == NULL)
        return no_argument;
    return option->is_argument_optional ? optional_argument : required_argument;
}

/* `start` is "+:" or ":"; the colon tells a missing value from an unknown option. */
static void translate(const struct apw_option *table, const char *start, struct syntax *syntax_r)
{
    size_t long_count = 0;
    char *letter;

    memset(syntax_r, 0, sizeof *syntax_r);
    strcpy(syntax_r->shorts, start);
    letter = syntax_r->shorts + strlen(start);
    for (int row = 0; !apw_option_is_last(&table[row]); row++) {
        int kind = argument_kind(&table[row]);

        if (table[row].name != NULL)
            syntax_r->longs[long_count++] =
                (struct option){table[row].name, kind, NULL, FIRST_ROW + row};
        if (table[row].letter == '\0')
            continue;
        *letter++ = table[row].letter;
        for (int colons = kind; colons > 0; colons--)
            *letter++ = ':';
    }
}

/* The name of an option as typed, without its value, which may be a password. */
static int name_length(const char *option)
{
    return (int)strcspn(option, "=");
}

static void complain(char **argv, int found)
{
    const char *typed = argv[optind - 1];
    bool is_long = strncmp(typed, "--", 2) == 0;

    if (found == ':' && is_long)
        apw_say_usage("option %s needs a value", typed);
    else if (found == ':')
        apw_say_usage("option -%c needs a value", optopt);
    else if (optopt == 0)
        apw_say_usage("no such option: %.*s", name_length(typed), typed);
    else if (is_long)
        apw_say_usage("option %.*s takes no value", name_length(typed), typed);
    else
        apw_say_usage("no such option: -%c", optopt);
}

static int row_of(const struct apw_option *table, int found)
{
    int row = 0;

    if (found >= FIRST_ROW)
        return found - FIRST_ROW;
    while (table[row].letter != found)
        row++;
    return row;
}

/* Takes one option. A repeated one is an error: getopt's way, one of them would win silently. */
static int take(const struct apw_option *option, int row, struct apw_options *options)
{
    if (options->is_given[row]) {
        if (option->name == NULL)
            apw_say_usage("option -%c is given twice", option->letter);
        else if (option->argument == NULL || option->argument[strlen(option->argument) - 1] != '.')
            apw_say_usage("option --%s is given twice", option->name);
        else
            apw_say_usage("option --%s is given twice; write several values into one option, "
                          "separated by commas",
                          option->name);
        return -1;
    }
    options->is_given[row] = true;
    options->value[row] = optarg;
    options->is_help = option->letter == 'h';
    options->is_version = option->letter == 'V';
    return 0;
}

static int read_all(const struct apw_option *table, const struct syntax *syntax, int argc,
                    char **argv, struct apw_options *options)
{
    opterr = 0;
    optind = 0; /* glibc and musl: start anew */
    while (!options->is_help && !options->is_version) {
        int found = getopt_long(argc, argv, syntax->shorts, syntax->longs, NULL), row;

        if (found == -1)
            break;
        if (found == '?' || found == ':') {
            complain(argv, found);
            return -1;
        }
        row = row_of(table, found);
        if (take(&table[row], row, options) != 0)
            return -1;
    }
    options->count = argc - optind;
    options->operand = argv + optind;
    return 0;
}

int apw_option_read(const struct apw_option *table, int argc, char **argv,
                    struct apw_options *options_r)
{
    struct syntax syntax;

    memset(options_r, 0, sizeof *options_r);
    translate(table, ":", &syntax);
    return read_all(table, &syntax, argc, argv, options_r);
}

int apw_option_read_leading(const struct apw_option *table, int argc, char **argv,
                            struct apw_options *options_r)
{
    struct syntax syntax;

    memset(options_r, 0, sizeof *options_r);
    translate(table, "+:", &syntax);
    return read_all(table, &syntax, argc, argv, options_r);
}

int apw_option_period(const char *option, const char *text, int64_t *seconds_r)
{
    if (apw_clock_parse_duration(text, false, seconds_r) == 0 && *seconds_r > 0)
        return 0;
    apw_say_usage("%s %s: must be a period like 180d or 12h", option, text);
    return -1;
}
