/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/diagnosis.h"
#include "command.h"
#include "progress.h"
#include "say.h"
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 2048
#define KEPT_MAX  100 /* JSON: findings that are not printed yet */

enum level { GOOD, PROBLEM, UNKNOWN, NOTE };

static const struct {
    const char *printed;
    const char *json;
} names[] = {
    [GOOD] = {"ok", "ok"},
    [PROBLEM] = {"PROBLEM", "problem"},
    [UNKNOWN] = {"unknown", "unknown"},
    [NOTE] = {"-", "note"},
};

/* Prints the array up to here. */
static int print_kept(struct apw_diagnosis *diagnosis)
{
    char *text = json_dumps(diagnosis->findings, JSON_INDENT(2));

    if (text == NULL)
        return -1;
    apw_progress_hide();
    /* Without the brackets: the first is followed by a line end, the last follows one. */
    printf("%s%.*s", diagnosis->is_begun ? "," : "[", (int)strlen(text) - 3, text + 1);
    free(text);
    diagnosis->is_begun = true;
    return json_array_clear(diagnosis->findings);
}

/* Adds to the array. The fix follows later. */
static void keep(struct apw_diagnosis *diagnosis, enum level level, const char *subject,
                 const char *text)
{
    if (diagnosis->findings == NULL)
        diagnosis->findings = json_array();
    if (json_array_size(diagnosis->findings) == KEPT_MAX && print_kept(diagnosis) != 0)
        diagnosis->is_incomplete = true;
    if (json_array_append_new(diagnosis->findings,
                              json_pack("{s:s, s:s, s:s, s:n, s:s?}", "level", names[level].json,
                                        "subject", subject, "text", text, "fix", "server",
                                        diagnosis->server)) != 0)
        diagnosis->is_incomplete = true;
}

__attribute__((format(printf, 4, 0))) static void add(struct apw_diagnosis *diagnosis,
                                                      enum level level, const char *subject,
                                                      const char *format, va_list arguments)
{
    char text[TEXT_SIZE], line[TEXT_SIZE + 1024];
    const char *server = diagnosis->server;

    vsnprintf(text, sizeof text, format, arguments);
    apw_say_printable(text);
    if (diagnosis->is_json) {
        keep(diagnosis, level, subject, text);
        return;
    }
    if (server != NULL && strstr(text, server) == NULL)
        snprintf(line, sizeof line, "%-7s  %s: %s: %s", names[level].printed, subject, server,
                 text);
    else
        snprintf(line, sizeof line, "%-7s  %s: %s", names[level].printed, subject, text);
    apw_progress_hide();
    puts(apw_say_printable(line));
}

void apw_diagnosis_good(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...)
{
    va_list arguments;

    diagnosis->good++;
    va_start(arguments, format);
    add(diagnosis, GOOD, subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_problem(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...)
{
    va_list arguments;

    diagnosis->problems++;
    va_start(arguments, format);
    add(diagnosis, PROBLEM, subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_unknown(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...)
{
    va_list arguments;

    diagnosis->unknown++;
    va_start(arguments, format);
    add(diagnosis, UNKNOWN, subject, format, arguments);
    va_end(arguments);
}

void apw_diagnosis_note(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diagnosis, NOTE, subject, format, arguments);
    va_end(arguments);
}

/* A finding may have several lines of fixes. */
static void keep_fix(struct apw_diagnosis *diagnosis, const char *text)
{
    json_t *finding = json_array_get(diagnosis->findings, json_array_size(diagnosis->findings) - 1);
    const char *before = json_string_value(json_object_get(finding, "fix"));
    json_t *all = before == NULL ? json_string(text) : json_sprintf("%s\n%s", before, text);

    if (json_object_set_new(finding, "fix", all) != 0)
        diagnosis->is_incomplete = true;
}

void apw_diagnosis_fix(struct apw_diagnosis *diagnosis, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    apw_say_printable(text);
    if (diagnosis->is_json) {
        keep_fix(diagnosis, text);
        return;
    }
    apw_progress_hide();
    printf("         fix: %s\n", text);
}

void apw_diagnosis_quote(const char *text, char *quoted_r, size_t size)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+:./_-";
    size_t length = 0;

    if (*text != '\0' && text[strspn(text, safe)] == '\0') {
        snprintf(quoted_r, size, "%s", text);
        return;
    }
    quoted_r[length++] = '\'';
    for (; *text != '\0' && length + 6 < size; text++) {
        if (*text == '\'')
            length += (size_t)snprintf(quoted_r + length, size - length, "'\\'");
        quoted_r[length++] = *text;
    }
    snprintf(quoted_r + length, size - length, "'");
}

static int print_array(struct apw_diagnosis *diagnosis)
{
    if (diagnosis->is_incomplete ||
        (json_array_size(diagnosis->findings) > 0 && print_kept(diagnosis) != 0)) {
        apw_say(NULL, "out of memory");
        return -1;
    }
    puts(diagnosis->is_begun ? "\n]" : "[]");
    return 0;
}

int apw_diagnosis_finish(struct apw_diagnosis *diagnosis)
{
    int status = 0;

    if (diagnosis->is_json)
        status = print_array(diagnosis);
    else
        printf("%u good, %u problem%s, %u unknown\n", diagnosis->good, diagnosis->problems,
               diagnosis->problems == 1 ? "" : "s", diagnosis->unknown);
    json_decref(diagnosis->findings);
    diagnosis->findings = NULL;
    return status;
}

bool apw_diagnosis_is_clean(const struct apw_diagnosis *diagnosis)
{
    return diagnosis->problems == 0 && diagnosis->unknown == 0;
}
