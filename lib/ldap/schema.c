/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/schema.h"
#include <ldap.h>
#include <ldap_schema.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PADDING 16

bool apw_schema_is_dn(const char *text)
{
    LDAPDN parsed = NULL;
    bool is_dn = *text != '\0' && ldap_str2dn(text, &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;

    ldap_dnfree(parsed);
    return is_dn;
}

static void copy_text(char *copy_r, const char *text)
{
    snprintf(copy_r, APW_SCHEMA_TEXT_SIZE, "%s", text == NULL ? "" : text);
}

int apw_schema_parse(const char *value, bool is_class, struct apw_schema_element *element_r)
{
    size_t length = strlen(value);
    char *padded = calloc(1, length + PADDING); /* libldap 2.5 reads past a sudden end */
    LDAPAttributeType *type = NULL;
    LDAPObjectClass *class = NULL;
    const char *position;
    int code;

    memset(element_r, 0, sizeof *element_r);
    if (padded == NULL)
        return -1;
    memcpy(padded, value, length);
    if (is_class)
        class = ldap_str2objectclass(padded, &code, &position, LDAP_SCHEMA_ALLOW_ALL);
    else
        type = ldap_str2attributetype(padded, &code, &position, LDAP_SCHEMA_ALLOW_ALL);
    free(padded);
    if (class != NULL)
        copy_text(element_r->oid, class->oc_oid);
    if (type != NULL) {
        copy_text(element_r->oid, type->at_oid);
        copy_text(element_r->equality, type->at_equality_oid);
        copy_text(element_r->syntax, type->at_syntax_oid);
        element_r->is_single = type->at_single_value != 0;
    }
    ldap_objectclass_free(class);
    ldap_attributetype_free(type);
    return class != NULL || type != NULL ? 0 : -1;
}
