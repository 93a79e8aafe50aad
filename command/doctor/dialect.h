/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialect: how a directory server is configured, for fixes that can be pasted.
 *
 * A fix is a line for that configuration, below a comment that says where it belongs. The line has
 * no comment behind it: a server would take it for a part of the value, and slapd 2.5 crashes.
 */
#ifndef APW_DOCTOR_DIALECT_H
#define APW_DOCTOR_DIALECT_H

#include "doctor/view.h"

enum apw_doctor_dialect {
    APW_DOCTOR_DIALECT_SLAPD_CONF = 0,
    APW_DOCTOR_DIALECT_CN_CONFIG,
    APW_DOCTOR_DIALECT_389,
    APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY,
};

/* Asks the server. slapd names cn=config even if it reads slapd.conf, so fixes for cn=config say
 * how to write them there. */
enum apw_doctor_dialect apw_doctor_dialect_find(const struct apw_doctor_view *view,
                                                struct apw_directory *directory);

/* The file of ldap-schema/ with our access rules. */
const char *apw_doctor_dialect_file(enum apw_doctor_dialect dialect);

/* One access rule, for one identity or anonymous. */
struct apw_doctor_rule {
    const char *attribute;
    const char *dn;    /* NULL: anonymous */
    const char *right; /* what it has then: "none", "search", "read" or "write" */
    bool is_denial;    /* it had more before */
};

void apw_doctor_dialect_fix_rule(const struct apw_doctor_view *view,
                                 enum apw_doctor_dialect dialect,
                                 const struct apw_doctor_rule *rule);

/* An index for searches by a value of the attribute. */
void apw_doctor_dialect_fix_index(struct apw_diagnosis *diagnosis, enum apw_doctor_dialect dialect,
                                  const char *attribute);

/* No limits for the searches of the administrator or, without one, of the mail server. */
void apw_doctor_dialect_fix_limit(const struct apw_doctor_view *view);

/* The schema, which the server at the view's URI lacks. */
void apw_doctor_dialect_fix_schema(struct apw_diagnosis *diagnosis,
                                   enum apw_doctor_dialect dialect);

#endif
