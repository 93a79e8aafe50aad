/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diagnosis: the doctor's findings, counted, and printed to standard output one line each.
 *
 * Control characters, changes of direction and invalid UTF-8 are printed as question marks.
 */
#ifndef APW_DOCTOR_DIAGNOSIS_H
#define APW_DOCTOR_DIAGNOSIS_H

#include <stdbool.h>

/* Starts zeroed. */
struct apw_diagnosis {
    unsigned good;
    unsigned problems;
    unsigned unknown; /* could not be checked; as bad as a problem to the exit status */
};

/* Each prints one finding: "ok", "PROBLEM" or "unknown", then `subject`, then the text. */
void apw_diagnosis_good(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
void apw_diagnosis_problem(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));
void apw_diagnosis_unknown(struct apw_diagnosis *diagnosis, const char *subject, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* A check that does not apply. Not counted. */
void apw_diagnosis_note(const char *subject, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The line or command that fixes the finding above. */
void apw_diagnosis_fix(const char *format, ...) __attribute__((format(printf, 1, 2)));

void apw_diagnosis_print_counts(const struct apw_diagnosis *diagnosis);

/* Neither problems nor unknown. */
bool apw_diagnosis_is_clean(const struct apw_diagnosis *diagnosis);

#endif
