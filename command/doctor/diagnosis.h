/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diagnosis: the doctor's findings, counted, and printed to standard output: one line each, or as
 * a JSON array, of which at most 100 findings are kept in memory.
 *
 * Control characters, changes of direction and invalid UTF-8 are printed as question marks.
 */
#ifndef APW_DOCTOR_DIAGNOSIS_H
#define APW_DOCTOR_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;

/* Starts zeroed. */
struct apw_diagnosis {
    unsigned good;
    unsigned problems;
    unsigned unknown;        /* could not be checked; as bad as a problem to the exit status */
    const char *server;      /* URI that the findings are about, or NULL; borrowed */
    bool is_json;            /* print nothing before the 101st, or apw_diagnosis_finish() */
    bool is_begun;           /* a part of the array is printed */
    bool is_incomplete;      /* out of memory: findings are missing in the array */
    struct json_t *findings; /* those that are not printed yet; NULL before the first */
};

/* Each adds one finding: "ok", "PROBLEM" or "unknown", then `subject`, then the server unless the
 * text names it, then the text. */
void apw_diagnosis_good(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
void apw_diagnosis_problem(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));
void apw_diagnosis_unknown(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* A check that does not apply. Not counted. */
void apw_diagnosis_note(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* The line or command that fixes the finding above. */
void apw_diagnosis_fix(struct apw_diagnosis *diagnosis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Quotes a text for a shell if it must be, so that the line of a fix can be copied: the text may
 * come from the directory. Truncates it if it is too long. */
void apw_diagnosis_quote(const char *text, char *quoted_r, size_t size);

/* Prints the counts, or the rest of the array, and frees it. -1, with a message and without the
 * array's end, if out of memory. */
int apw_diagnosis_finish(struct apw_diagnosis *diagnosis);

/* Neither problems nor unknown. */
bool apw_diagnosis_is_clean(const struct apw_diagnosis *diagnosis);

#endif
