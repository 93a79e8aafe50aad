/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: a small set of attribute names, such as those that a filter reads. Pure.
 */
#ifndef APW_DOCTOR_NAMES_H
#define APW_DOCTOR_NAMES_H

#include <stddef.h>

#define APW_DOCTOR_NAMES_MAX 16
#define APW_DOCTOR_NAME_SIZE 64

/* Starts zeroed. */
struct apw_doctor_names {
    size_t count;
    char name[APW_DOCTOR_NAMES_MAX][APW_DOCTOR_NAME_SIZE];
};

/* Names differ in more than case. Ignores a name that is already there, one that is too long, and
 * those beyond the maximum. */
void apw_doctor_names_add(struct apw_doctor_names *names, const char *name);

/* Adds the attributes that a filter or its template compares (RFC 4515). */
void apw_doctor_names_add_filter(struct apw_doctor_names *names, const char *filter);

#endif
