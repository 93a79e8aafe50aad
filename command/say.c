#include "command.h"
#include "login.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 2048

char *apw_say_printable(char *text)
{
    for (char *c = text; *c != '\0';) {
        size_t printable = apw_text_printable_bytes(c, strlen(c));

        if (printable == 0)
            *c++ = '?';
        c += printable;
    }
    return text;
}

__attribute__((format(printf, 2, 0))) static void say(const char *about, const char *format,
                                                      va_list arguments, const char *end)
{
    char words[LINE_SIZE], line[LINE_SIZE + 512];

    vsnprintf(words, sizeof words, format, arguments);
    snprintf(line, sizeof line, "app-password: %s%s%s", about == NULL ? "" : about,
             about == NULL ? "" : ": ", words);
    apw_say_printable(line);
    fflush(stdout); /* in the order in which it happened */
    fprintf(stderr, "%s%s\n", line, end);
}

void apw_say(const char *about, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(about, format, arguments, "");
    va_end(arguments);
}

enum apw_status apw_say_usage(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(NULL, format, arguments, "\nTry 'app-password --help' or 'man app-password'.");
    va_end(arguments);
    return APW_STATUS_USAGE;
}

enum apw_status apw_status_of(enum apw_manage_result result)
{
    switch (result) {
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
        return APW_STATUS_DONE;
    case APW_MANAGE_UNAVAILABLE:
        return APW_STATUS_UNAVAILABLE;
    case APW_MANAGE_INVALID:
        return APW_STATUS_USAGE;
    case APW_MANAGE_NOT_PERMITTED:
        return APW_STATUS_NOT_PERMITTED;
    case APW_MANAGE_CONFIGURATION:
        return APW_STATUS_CONFIGURATION;
    case APW_MANAGE_NOT_FOUND:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_REFUSED:
    case APW_MANAGE_CONFLICT:
        break;
    }
    return APW_STATUS_FAILED;
}

void apw_tally_add(struct apw_tally *tally, enum apw_status status)
{
    tally->count++;
    if (status == APW_STATUS_DONE)
        return;
    if (tally->failed++ == 0)
        tally->status = status;
    else if (tally->status != status)
        tally->is_mixed = true;
}

enum apw_status apw_tally_status(const struct apw_tally *tally)
{
    if (tally->failed == 0)
        return APW_STATUS_DONE;
    if (tally->failed < tally->count || tally->is_mixed)
        return APW_STATUS_FAILED;
    return tally->status;
}

int apw_output_finish(void)
{
    bool has_failed = ferror(stdout) != 0; /* at an earlier flush, whose errno is gone */

    if (fflush(stdout) == 0 && !has_failed)
        return 0;
    apw_say(NULL, "standard output: %s", has_failed ? "could not be written" : strerror(errno));
    return -1;
}
