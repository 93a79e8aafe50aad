/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/diagnosis.h"
#include "command.h"
#include "say.h"
#include <stdarg.h>
#include <stdio.h>

#define TEXT_SIZE 2048

__attribute__((format(printf, 3, 0))) static void
print_finding(const char *kind, const char *subject, const char *format, va_list arguments)
{
    char text[TEXT_SIZE], line[TEXT_SIZE + 512];

    vsnprintf(text, sizeof text, format, arguments);
    snprintf(line, sizeof line, "%-7s  %s: %s", kind, subject, text);
    puts(apw_say_printable(line));
}

void apw_diagnosis_good(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...)
{
    va_list arguments;

    diagnosis->good++;
    va_start(arguments, format);
    print_finding("ok", subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_problem(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...)
{
    va_list arguments;

    diagnosis->problems++;
    va_start(arguments, format);
    print_finding("PROBLEM", subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_unknown(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...)
{
    va_list arguments;

    diagnosis->unknown++;
    va_start(arguments, format);
    print_finding("unknown", subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_note(const char *subject, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_finding("-", subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_fix(const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("         fix: %s\n", apw_say_printable(text));
}

void apw_diagnosis_print_counts(const struct apw_diagnosis *diagnosis)
{
    printf("%u good, %u problem%s, %u unknown\n", diagnosis->good, diagnosis->problems,
           diagnosis->problems == 1 ? "" : "s", diagnosis->unknown);
}

bool apw_diagnosis_is_clean(const struct apw_diagnosis *diagnosis)
{
    return diagnosis->problems == 0 && diagnosis->unknown == 0;
}
