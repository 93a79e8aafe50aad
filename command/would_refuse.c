/* SPDX-License-Identifier: BSD-2-Clause */
#include "would_refuse.h"
#include "csv.h"
#include "event.h"
#include "log_line.h"
#include "output.h"
#include "say.h"
#include "utf8.h"
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_SIZE (APW_EVENT_SIZE + 1024) /* and what syslog puts before it */
#define WORDS_MAX 8

static const char journal[] = "journalctl --quiet --no-pager --output=short-iso "
                              "--grep='^app-password: verdict=accepted .* would-refuse='";

/* The first different ones. */
struct words {
    size_t count;
    bool is_more;
    char word[WORDS_MAX][APW_ADDRESS_TEXT_SIZE];
};

struct person {
    char name[APW_LOGIN_SIZE];
    size_t logins;
    char first[APW_LOG_LINE_TIME_SIZE];
    char last[APW_LOG_LINE_TIME_SIZE];
    struct words services;
    struct words clients;
};

struct report {
    void *people; /* a tree for tsearch(), sorted by name */
    size_t count;
    size_t logins; /* accepted ones, by whatever password */
    enum apw_report_format format;
    size_t printed;
    bool is_out_of_memory;
};

/* ---- collecting ---- */

static void add_word(struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->word[i], word) == 0)
            return;
    if (words->count == WORDS_MAX)
        words->is_more = true;
    else
        snprintf(words->word[words->count++], sizeof words->word[0], "%s", word);
}

static int compare(const void *one, const void *other)
{
    return strcasecmp(((const struct person *)one)->name, ((const struct person *)other)->name);
}

/* The person of this name, perhaps a new one. NULL if out of memory. */
static struct person *find_person(struct report *report, const char *name)
{
    struct person *person = calloc(1, sizeof *person);
    void *place;

    if (person == NULL)
        return NULL;
    snprintf(person->name, sizeof person->name, "%s", name);
    place = tsearch(person, &report->people, compare);
    if (place == NULL || *(struct person **)place != person) {
        free(person);
        return place == NULL ? NULL : *(struct person **)place;
    }
    report->count++;
    return person;
}

/* A damaged log may hold any bytes. */
static void make_valid(char *text)
{
    if (!apw_utf8_is_valid(text, strlen(text)))
        apw_say_printable(text);
}

static int add_line(struct report *report, const char *text)
{
    struct apw_log_line line;
    struct person *person;

    if (!apw_log_line_read(text, &line))
        return 0;
    report->logins++;
    if (!line.would_refuse)
        return 0;
    make_valid(line.time);
    make_valid(line.name);
    make_valid(line.service);
    make_valid(line.client);
    person = find_person(report, line.name);
    if (person == NULL) {
        report->is_out_of_memory = true;
        return -1;
    }
    if (person->logins++ == 0)
        memcpy(person->first, line.time, sizeof person->first);
    memcpy(person->last, line.time, sizeof person->last);
    add_word(&person->services, line.service);
    add_word(&person->clients, line.client);
    return 0;
}

/* Reads line by line. Skips a line that is too long to be ours. */
static void read_log(struct report *report, FILE *log)
{
    char line[LINE_SIZE];
    bool is_rest = false;

    while (!report->is_out_of_memory && fgets(line, sizeof line, log) != NULL) {
        char *end = strchr(line, '\n');

        if (end != NULL)
            *end = '\0';
        if (!is_rest && (end != NULL || feof(log)))
            add_line(report, line);
        is_rest = end == NULL && strlen(line) == sizeof line - 1; /* not if it has a NUL byte */
    }
}

/* ---- printing ---- */

static void join(const struct words *words, char *text_r, size_t size)
{
    size_t length = 0;

    text_r[0] = '\0';
    for (size_t i = 0; i < words->count && length < size; i++)
        length += (size_t)snprintf(text_r + length, size - length, "%s%s", i > 0 ? ", " : "",
                                   words->word[i]);
    if (words->is_more && length < size)
        snprintf(text_r + length, size - length, ", ...");
}

static json_t *array_of(const struct words *words)
{
    json_t *array = json_array();

    for (size_t i = 0; i < words->count; i++)
        if (json_array_append_new(array, json_string(words->word[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static void print_json(struct report *report, const struct person *person)
{
    json_t *object =
        json_pack("{s:s, s:I, s:s, s:s, s:o, s:o}", "name", person->name, "logins",
                  (json_int_t)person->logins, "first", person->first, "last", person->last,
                  "services", array_of(&person->services), "clients", array_of(&person->clients));

    fputs(report->printed > 0 ? ",\n  " : "[\n  ", stdout);
    if (object == NULL || json_dumpf(object, stdout, JSON_ENSURE_ASCII) != 0)
        report->is_out_of_memory = true;
    json_decref(object);
}

static void print_person(struct report *report, const struct person *person)
{
    char services[WORDS_MAX * (APW_ADDRESS_TEXT_SIZE + 2) + 8];
    char clients[sizeof services], logins[24];

    join(&person->services, services, sizeof services);
    join(&person->clients, clients, sizeof clients);
    snprintf(logins, sizeof logins, "%zu", person->logins);
    switch (report->format) {
    case APW_REPORT_TEXT:
        apw_output_line("%s: %s %s by %s from %s; first %s, last %s", person->name, logins,
                        person->logins == 1 ? "login" : "logins", services, clients, person->first,
                        person->last);
        break;
    case APW_REPORT_JSON:
        print_json(report, person);
        break;
    case APW_REPORT_CSV:
        apw_csv_print_cell(person->name, ',');
        apw_csv_print_cell(logins, ',');
        apw_csv_print_cell(person->first, ',');
        apw_csv_print_cell(person->last, ',');
        apw_csv_print_cell(services, ',');
        apw_csv_print_cell(clients, '\n');
        break;
    }
    report->printed++;
}

static void print_node(const void *node, VISIT visit, void *report)
{
    if (visit == postorder || visit == leaf)
        print_person(report, *(const struct person *const *)node);
}

static void print(struct report *report)
{
    if (report->format == APW_REPORT_CSV)
        puts("name,logins,first,last,services,clients");
    twalk_r(report->people, print_node, report);
    if (report->format == APW_REPORT_JSON)
        puts(report->printed > 0 ? "\n]" : "[]");
    apw_say(NULL, "would-refuse: %zu", report->count);
}

/* ---- the log ---- */

static bool has_readable(const char *pattern)
{
    bool is_readable = false;
    glob_t found;

    if (glob(pattern, 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc; i++)
        is_readable = is_readable || access(found.gl_pathv[i], R_OK) == 0;
    globfree(&found);
    return is_readable;
}

/* If the journal is not there, or must not be read, journalctl ends as if it held no such line. */
static bool has_journal(void)
{
    return has_readable("/var/log/journal/*/system.journal") ||
           has_readable("/run/log/journal/*/system.journal");
}

static enum apw_status read_journal(struct report *report)
{
    FILE *log = has_journal() ? popen(journal, "re") : NULL;
    int status;

    if (log != NULL)
        read_log(report, log);
    status = log == NULL ? -1 : pclose(log);
    /* 1: the journal has no such line. */
    if (status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 1))
        return APW_STATUS_DONE;
    apw_say(NULL, "the journal cannot be read; run this as root, or name a log: report "
                  "--would-refuse /var/log/mail.log");
    return APW_STATUS_FAILED;
}

static enum apw_status read_file(struct report *report, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *log = is_stdin ? stdin : fopen(path, "re");
    int failure = log == NULL ? errno : 0;

    errno = 0;
    if (log != NULL)
        read_log(report, log);
    if (log != NULL && ferror(log) != 0)
        failure = errno != 0 ? errno : EIO;
    if (log != NULL && !is_stdin)
        fclose(log);
    if (is_stdin)
        path = "standard input";
    if (failure != 0)
        apw_say(NULL, "%s: %s", path, strerror(failure));
    else if (report->logins == 0)
        apw_say(NULL,
                "%s: no login that app-password accepted; is it the right log, and not compressed?",
                path);
    return failure == 0 ? APW_STATUS_DONE : APW_STATUS_FAILED;
}

enum apw_status apw_would_refuse_report(const struct apw_config *config, const char *path,
                                        enum apw_report_format format)
{
    struct report report = {.format = format};
    enum apw_status status;

    if (path == NULL && config->log_to_stderr)
        return apw_say_usage("report: the configuration has \"log stderr\"; name the log that "
                             "keeps it, or - for standard input");
    if (path == NULL)
        path = config->log_file;
    status = path == NULL ? read_journal(&report) : read_file(&report, path);
    if (status == APW_STATUS_DONE && !report.is_out_of_memory)
        print(&report);
    tdestroy(report.people, free);
    if (!report.is_out_of_memory)
        return status;
    apw_say(NULL, "out of memory");
    return APW_STATUS_UNAVAILABLE;
}
