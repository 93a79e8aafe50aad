/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrongs: the rights that one server grants or denies wrongly. Many have one cause, rules that
 * stand before ours, and become one finding.
 */
#ifndef APW_DOCTOR_WRONGS_H
#define APW_DOCTOR_WRONGS_H

#include "doctor/view.h"

#define APW_DOCTOR_WRONGS_MAX 64 /* further ones are only counted */

/* How the server's rules are written. */
enum apw_doctor_rules {
    APW_DOCTOR_RULES_SLAPD_CONF = 0,
    APW_DOCTOR_RULES_CN_CONFIG,
    APW_DOCTOR_RULES_ACI, /* 389 Directory Server's */
};

struct apw_doctor_wrongs {
    enum apw_doctor_rules rules;
    unsigned count;
    struct apw_doctor_wrong {
        char text[512];
        char fix[1024];
    } wrong[APW_DOCTOR_WRONGS_MAX];
};

/* Asks the view's server how its rules are written. */
void apw_doctor_wrongs_start(const struct apw_doctor_view *view,
                             struct apw_doctor_wrongs *wrongs_r);

/* What is to be granted or denied. */
struct apw_doctor_rule {
    const char *attribute;
    const char *dn;    /* NULL: everybody */
    const char *right; /* "read", "write" or "none" */
};

void apw_doctor_wrongs_add(struct apw_doctor_wrongs *wrongs, const struct apw_doctor_rule *rule,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reports what was added. */
void apw_doctor_wrongs_report(struct apw_diagnosis *diagnosis,
                              const struct apw_doctor_wrongs *wrongs);

#endif
