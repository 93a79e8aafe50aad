/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrongs: the rights that one server grants or denies wrongly. Many have one cause, rules that
 * stand before ours, and become one finding.
 */
#ifndef APW_DOCTOR_WRONGS_H
#define APW_DOCTOR_WRONGS_H

#include "doctor/dialect.h"

#define APW_DOCTOR_WRONGS_MAX 64 /* further ones are only counted */

struct apw_doctor_wrongs {
    enum apw_doctor_dialect dialect;
    unsigned count;
    struct apw_doctor_wrong {
        char text[512];
        char attribute[APW_DOCTOR_NAME_SIZE];
        struct apw_doctor_rule rule; /* without a right: our rules must come first */
    } wrong[APW_DOCTOR_WRONGS_MAX];
};

/* Asks the view's server how it is configured. */
void apw_doctor_wrongs_start(const struct apw_doctor_view *view,
                             struct apw_doctor_wrongs *wrongs_r);

/* `rule` is the right that should be. If it is NULL, users may do what they should not: a rule for
 * one user or one right would leave the others, so the fix is our rules. rule->dn is borrowed. */
void apw_doctor_wrongs_add(struct apw_doctor_wrongs *wrongs, const char *attribute,
                           const struct apw_doctor_rule *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports what was added. */
void apw_doctor_wrongs_report(const struct apw_doctor_view *view,
                              const struct apw_doctor_wrongs *wrongs);

#endif
