/* SPDX-License-Identifier: BSD-2-Clause */
#include "help.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LINE_WIDTH     80
#define COMMAND_COLUMN 35
#define OPTION_COLUMN  17

/* Prints `left` and, from `column` on, the words of `text` over as many lines as they need. */
static void print_entry(const char *left, int column, const char *text)
{
    int at = printf("%s", left), room;

    if (at + 2 > column) {
        putchar('\n');
        at = 0;
    }
    at += printf("%*s", column - at, "");
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");

        room = LINE_WIDTH - at;
        if (length + (at > column) > room)
            at = printf("\n%*s", column, "") - 1;
        at += printf("%s%.*s", at > column ? " " : "", length, text);
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

/* "-c FILE", "-h, --help", "--wait[=PERIOD]", after `indent` spaces. */
static void describe_option(const struct apw_option *option, int indent, char *text_r, size_t size)
{
    char letter[3] = {'-', option->letter, '\0'};
    const char *argument = option->argument == NULL ? "" : option->argument;

    snprintf(text_r, size, "%*s%s%s%s%s%s%s%s", indent, "", option->letter != '\0' ? letter : "",
             option->letter != '\0' && option->name != NULL ? ", " : "",
             option->name != NULL ? "--" : "", option->name != NULL ? option->name : "",
             option->is_argument_optional ? "[="
             : *argument != '\0'          ? " "
                                          : "",
             argument, option->is_argument_optional ? "]" : "");
}

static void print_options(const struct apw_option *table, int indent, int column)
{
    for (; !apw_option_is_last(table); table++) {
        char left[64];

        describe_option(table, indent, left, sizeof left);
        print_entry(left, column, table->help);
    }
}

/* Each command has --help; the whole summary mentions it once. */
static void print_command(const struct apw_command *command, bool with_help)
{
    char left[64];

    snprintf(left, sizeof left, "  %s %s", command->name, command->usage);
    print_entry(left, COMMAND_COLUMN, command->help);
    for (const struct apw_option *option = command->options; !apw_option_is_last(option); option++)
        if (with_help || option->letter != 'h') {
            describe_option(option, 6, left, sizeof left);
            print_entry(left, COMMAND_COLUMN, option->help);
        }
}

void apw_help_print(const struct apw_command *const *commands, const struct apw_option *options)
{
    fputs("Usage: app-password [OPTION...] COMMAND\n"
          "App passwords and multi-factor authentication (MFA) for mail users in LDAP.\n"
          "\n",
          stdout);
    for (size_t i = 0; commands[i] != NULL; i++)
        print_command(commands[i], false);
    putchar('\n');
    print_options(options, 2, OPTION_COLUMN);
    fputs("\n"
          "Exit status: 0 done or accepted; 1 refused, not found or some of many failed;\n"
          "64 usage; 75 directory unavailable; 77 not permitted; 78 configuration.\n"
          "See app-password(1) and app-password.conf(5).\n",
          stdout);
}

void apw_help_print_command(const struct apw_command *command)
{
    puts("Usage: app-password [OPTION...] COMMAND");
    print_command(command, true);
    puts("See app-password --help and app-password(1).");
}
