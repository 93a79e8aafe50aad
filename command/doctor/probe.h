/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe: tries what an identity may read and write on one server, and changes nothing.
 */
#ifndef APW_DOCTOR_PROBE_H
#define APW_DOCTOR_PROBE_H

#include "doctor/view.h"
#include "doctor/wrongs.h"

enum apw_doctor_right {
    APW_DOCTOR_RIGHT_UNKNOWN = 0,
    APW_DOCTOR_RIGHT_NOT_HERE, /* the server takes no changes */
    APW_DOCTOR_RIGHT_YES,
    APW_DOCTOR_RIGHT_NO
};

/* One server, and what is wrong there. `view` has that server alone. */
struct apw_doctor_place {
    const struct apw_doctor_view *view;
    struct apw_uris alone;
    struct apw_doctor_wrongs *wrongs;
    const char *as_dn, *as_password; /* NULL: no user to try */
};

/* An identity whose rights are tested. */
struct apw_doctor_subject {
    const char *name; /* "the mail server" */
    const char *dn;   /* for the rule that fixes a finding */
    struct apw_directory *directory;
    const char *entry;          /* DN that the rights are tested on */
    const char *undone_by;      /* an attribute that the subject may write, or NULL */
    bool is_fixed_by_our_rules; /* as a whole: a rule for one right would not help */
};

/* A text that no attribute has as a value. */
extern const char apw_doctor_probe_improbable[];

/* Whether the subject may delete a value, by deleting one that is not there: result 16 is yes, 50
 * is no. A second change, which always fails, undoes the first in case that value does exist. */
enum apw_doctor_right apw_doctor_probe_delete(const struct apw_doctor_view *view,
                                              const struct apw_doctor_subject *subject,
                                              const char *attribute, const char *value,
                                              struct apw_error *error);

/* Reports a right to write that was probed. */
void apw_doctor_probe_judge(const struct apw_doctor_place *place,
                            const struct apw_doctor_subject *subject, const char *attribute,
                            enum apw_doctor_right right, enum apw_doctor_right expected,
                            const struct apw_error *error);

/* Both of these. */
void apw_doctor_probe_writing(const struct apw_doctor_place *place,
                              const struct apw_doctor_subject *subject, const char *attribute,
                              enum apw_doctor_right expected);

bool apw_doctor_probe_can_read(const struct apw_doctor_view *view, struct apw_directory *directory,
                               const char *dn, const char *attribute);

/* The DN of an entry with the attribute, or NULL. The caller frees it. */
char *apw_doctor_probe_find_with(const struct apw_doctor_view *view,
                                 struct apw_directory *directory, const char *attribute);

/* The subject must see the attribute on an entry on which the administrator sees it. */
void apw_doctor_probe_reading(const struct apw_doctor_place *place,
                              const struct apw_doctor_subject *subject, const char *attribute);

/* Connects the subject to the server; -1 with a finding. */
int apw_doctor_probe_connect(const struct apw_doctor_place *place,
                             const struct apw_identity *identity,
                             struct apw_doctor_subject *subject);

#endif
