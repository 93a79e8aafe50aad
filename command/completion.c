/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * completion: prints the part of completions/app-password that comes from the tables. Not
 * installed: `make check` compares, `make update-completion` writes.
 */
#include "commands.h"
#include "invocation.h"
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void print_names(const struct apw_option *option, bool with_letters)
{
    for (; !apw_option_is_last(option); option++) {
        if (option->letter != '\0' && with_letters)
            printf(" -%c", option->letter);
        if (option->name != NULL)
            printf(" --%s", option->name);
    }
}

static void print_words(void)
{
    puts("# The options of command $1; before a command, the commands too.\n"
         "_app_password_words()\n{\n    case $1 in");
    fputs("    '') echo", stdout);
    print_names(apw_invocation_options, true);
    for (size_t i = 0; apw_commands[i] != NULL; i++)
        printf(" %s", apw_commands[i]->name);
    puts(" ;;");
    for (size_t i = 0; apw_commands[i] != NULL; i++) {
        printf("    %s) echo", apw_commands[i]->name);
        print_names(apw_commands[i]->options, false);
        puts(" ;;");
    }
    puts("    esac\n}\n");
}

/* "on|off USER..." begins with two verbs, "init FOLDER" with one. */
static void print_verbs(void)
{
    puts("# The verbs of command $1.\n_app_password_verbs()\n{\n    case $1 in");
    for (size_t i = 0; apw_commands[i] != NULL; i++) {
        const char *usage = apw_commands[i]->usage;
        int length = (int)strcspn(usage, " ");

        if (!islower((unsigned char)*usage))
            continue;
        printf("    %s) echo ", apw_commands[i]->name);
        for (int at = 0; at < length; at++)
            putchar(usage[at] == '|' ? ' ' : usage[at]);
        puts(" ;;");
    }
    puts("    esac\n}\n");
}

static void print_values_of(const char *command, const struct apw_option *option)
{
    for (; !apw_option_is_last(option); option++) {
        bool is_file = option->argument != NULL && strcmp(option->argument, "FILE") == 0;

        if (option->argument == NULL || option->is_argument_optional)
            continue;
        printf("    %s:-", command);
        if (option->name != NULL)
            printf("-%s", option->name);
        else
            putchar(option->letter);
        printf(") echo %s ;;\n", option->words != NULL ? option->words : is_file ? "FILE" : "ANY");
    }
}

static void print_values(void)
{
    puts("# The values of COMMAND:OPTION; FILE, or ANY for those that only the user knows; nothing "
         "if it\n"
         "# takes none.\n"
         "_app_password_values()\n{\n    case $1 in");
    print_values_of("", apw_invocation_options);
    for (size_t i = 0; apw_commands[i] != NULL; i++)
        print_values_of(apw_commands[i]->name, apw_commands[i]->options);
    puts("    esac\n}");
}

int main(void)
{
    puts("# ---- from the tables in command/, by `make update-completion` ----\n");
    print_words();
    print_verbs();
    print_values();
    return fflush(stdout) == 0 ? 0 : 1;
}
