#include "clock.h"
#include "command.h"
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX (APW_OPTION_COMMAND + 16)

static bool is_given[OPTIONS_MAX]; /* by what apw_option_next() returns */

void apw_option_begin(void)
{
    memset(is_given, 0, sizeof is_given);
    opterr = 0;
    optind = 0; /* glibc and musl: start anew */
}

/* The name of an option as typed, without its value: somebody may try to put a password there. */
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

/* Of a repeated option one would win, in silence: `--services smtp --services imap`. */
static bool is_repeated(int found)
{
    bool is_again = found >= 0 && found < OPTIONS_MAX && is_given[found];

    if (found >= 0 && found < OPTIONS_MAX)
        is_given[found] = true;
    return is_again;
}

int apw_option_next(int argc, char **argv, const char *shorts, const struct option *longs)
{
    char with_colon[64];
    int found, index = -1;

    /* '+' must stay in front; the ':' behind it tells a missing value from an unknown option. */
    snprintf(with_colon, sizeof with_colon, "%.*s:%s", shorts[0] == '+', "+",
             shorts + (shorts[0] == '+'));
    found = getopt_long(argc, argv, with_colon, longs, &index);
    if (found == '?' || found == ':')
        complain(argv, found);
    else if (!is_repeated(found))
        return found;
    else if (index >= 0)
        apw_say_usage("option --%s is given twice; several values go into one, with commas, "
                      "where it takes several",
                      longs[index].name);
    else
        apw_say_usage("option -%c is given twice", found);
    return APW_OPTION_BAD;
}

int apw_option_period(const char *option, const char *text, int64_t *seconds_r)
{
    if (apw_duration_parse(text, false, seconds_r) == 0 && *seconds_r > 0)
        return 0;
    apw_say_usage("%s %s: it must be a period like 180d or 12h", option, text);
    return -1;
}

enum apw_status apw_option_outcome(int found)
{
    if (found != APW_OPTION_HELP)
        return APW_STATUS_USAGE;
    apw_help_print();
    return APW_STATUS_DONE;
}
