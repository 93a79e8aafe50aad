/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option: options as data. Parsing, usage errors, --help and the bash completion all read these
 * tables.
 */
#ifndef APW_OPTION_H
#define APW_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#define APW_OPTION_MAX 16 /* in one table */

struct apw_option {
    const char *name;          /* without "--"; NULL if it has a letter only */
    char letter;               /* 0 if it has a name only */
    const char *argument;      /* how --help names its value, "FILE" for a path; NULL: no value */
    bool is_argument_optional; /* --name[=VALUE] */
    const char *words;         /* values that the completion offers; may be NULL */
    const char *help;
};

/* Every table ends with these two rows. */
#define APW_OPTION_HELP                                                                            \
    {                                                                                              \
        .name = "help", .letter = 'h', .help = "print this summary"                                \
    }
#define APW_OPTION_LAST                                                                            \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Options as typed, by their place in the table, and what follows them. Borrowed from argv. */
struct apw_options {
    bool is_given[APW_OPTION_MAX];
    const char *value[APW_OPTION_MAX]; /* NULL: not given, or without a value */
    bool is_help;
    bool is_version;
    int count;
    char **operand;
};

/* Whether this row is the end of its table. */
bool apw_option_is_last(const struct apw_option *option);

/* Reads argv behind argv[0]; operands may stand between options. On an unknown or repeated option,
 * or a missing value, it prints a usage error and returns -1. --help and --version end the
 * reading. */
int apw_option_read(const struct apw_option *table, int argc, char **argv,
                    struct apw_options *options_r);

/* The same, but stops at the first operand. */
int apw_option_read_leading(const struct apw_option *table, int argc, char **argv,
                            struct apw_options *options_r);

/* Reads the value of an option that is a period, like 180d or 12h. -1 after a usage error. */
int apw_option_period(const char *option, const char *text, int64_t *seconds_r);

#endif
