/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema: schema definitions (RFC 4512, 4.1) and the syntax of distinguished names (RFC 4514).
 */
#ifndef APW_SCHEMA_H
#define APW_SCHEMA_H

#include <stdbool.h>

#define APW_SCHEMA_TEXT_SIZE 128

/* The definition in a value of attributeTypes or objectClasses. */
struct apw_schema_element {
    char oid[APW_SCHEMA_TEXT_SIZE];
    char equality[APW_SCHEMA_TEXT_SIZE]; /* "" if it names none, and for a class */
    char syntax[APW_SCHEMA_TEXT_SIZE];   /* the same */
    bool is_single;
};

/* Returns -1 if libldap cannot read the value. */
int apw_schema_parse(const char *value, bool is_class, struct apw_schema_element *element_r);

bool apw_schema_is_dn(const char *text);

#endif
