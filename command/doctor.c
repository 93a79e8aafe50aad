#include "doctor.h"
#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 2048

__attribute__((format(printf, 3, 0))) static void
print_finding(const char *kind, const char *subject, const char *format, va_list arguments)
{
    char words[LINE_SIZE], line[LINE_SIZE + 512];

    vsnprintf(words, sizeof words, format, arguments);
    snprintf(line, sizeof line, "%-7s  %s: %s", kind, subject, words);
    puts(apw_say_printable(line));
}

void apw_doctor_good(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->good++;
    va_start(arguments, format);
    print_finding("ok", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_problem(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->problems++;
    va_start(arguments, format);
    print_finding("PROBLEM", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_unknown(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->unknown++;
    va_start(arguments, format);
    print_finding("unknown", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_mend(const char *format, ...)
{
    char words[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    printf("         mend: %s\n", apw_say_printable(words));
}
