/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema: whether a server has our schema, with our definitions.
 */
#ifndef APW_DOCTOR_SCHEMA_H
#define APW_DOCTOR_SCHEMA_H

#include "doctor/view.h"
#include <stdbool.h>

/* A definition of ldap-schema/. */
struct apw_doctor_definition {
    const char *name;
    const char *oid;
    const char *equality, *equality_oid; /* a matching rule by its name and OID; NULL for a class */
    const char *syntax;                  /* NULL for a class */
    const char *ad_oid, *ad_syntax;      /* in Active Directory; the syntax is NULL for a class */
    bool is_single;
};

#define APW_DOCTOR_SCHEMA_ATTRIBUTES 5
extern const struct apw_doctor_definition
    apw_doctor_schema_attributes[APW_DOCTOR_SCHEMA_ATTRIBUTES];
extern const struct apw_doctor_definition apw_doctor_schema_class;

/* `directory` is the server at `uri`, as the mail server. */
void apw_doctor_schema_check(const struct apw_doctor_view *view, const char *uri,
                             struct apw_directory *directory);

#endif
