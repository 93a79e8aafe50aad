#include "command.h"
#include <stdio.h>
#include <string.h>

void apw_option_begin(void)
{
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

int apw_option_next(int argc, char **argv, const char *shorts, const struct option *longs)
{
    char with_colon[64];
    int found;

    /* '+' must stay in front; the ':' behind it tells a missing value from an unknown option. */
    snprintf(with_colon, sizeof with_colon, "%.*s:%s", shorts[0] == '+', "+",
             shorts + (shorts[0] == '+'));
    found = getopt_long(argc, argv, with_colon, longs, NULL);
    if (found != '?' && found != ':')
        return found;
    complain(argv, found);
    return APW_OPTION_BAD;
}

enum apw_status apw_option_outcome(int found)
{
    if (found != APW_OPTION_HELP)
        return APW_STATUS_USAGE;
    apw_help_print();
    return APW_STATUS_DONE;
}
