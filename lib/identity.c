/* SPDX-License-Identifier: BSD-2-Clause */
#include "identity.h"
#include "ldap/schema.h"
#include "secret.h"
#include "settings.h"
#include <stdlib.h>
#include <string.h>

int apw_identity_set_dn(struct apw_identity *identity, const char *value, struct apw_error *error)
{
    if (!apw_schema_is_dn(value))
        return apw_error_set(error, "\"%s\" is not a DN like cn=mail,dc=example,dc=org", value);
    return apw_settings_copy(value, &identity->dn, error);
}

int apw_identity_set_password_file(struct apw_identity *identity, const char *value,
                                   struct apw_error *error)
{
    char place[PATH_MAX];

    apw_secret_locate(value, place);
    if (apw_settings_check_absolute(value, error) != 0 ||
        apw_settings_copy(place, &identity->password_file, error) != 0)
        return -1;
    return apw_secret_read(value, &identity->password, error);
}

int apw_identity_check(const struct apw_identity *identity, const char *path,
                       struct apw_error *error)
{
    if (identity->method != APW_BIND_SIMPLE) {
        if (identity->dn != NULL || identity->password != NULL)
            return apw_error_set(error, "%s: \"bind %s\" excludes binddn and bindpw_file", path,
                                 identity->method == APW_BIND_GSSAPI ? "gssapi" : "external");
        return 0;
    }
    if (identity->dn == NULL || identity->password == NULL)
        return apw_error_set(error, "%s: %s is missing (or \"bind external\" over ldapi)", path,
                             identity->dn == NULL ? "binddn" : "bindpw_file");
    return 0;
}

bool apw_identity_is_set(const struct apw_identity *identity)
{
    return identity->dn != NULL || identity->method != APW_BIND_SIMPLE;
}

bool apw_identity_needs_password(const struct apw_identity *identity)
{
    return identity->method == APW_BIND_SIMPLE && identity->dn != NULL &&
           identity->password == NULL;
}

const char *apw_identity_name(const struct apw_identity *identity)
{
    switch (identity->method) {
    case APW_BIND_SIMPLE:
        return identity->dn;
    case APW_BIND_EXTERNAL:
        return "SASL EXTERNAL";
    case APW_BIND_GSSAPI:
        return "SASL GSSAPI";
    case APW_BIND_ANONYMOUS:
        break;
    }
    return "anonymous";
}

int apw_identity_copy(const struct apw_identity *identity, struct apw_identity *copy_r,
                      struct apw_error *error)
{
    copy_r->method = identity->method;
    if (identity->method != APW_BIND_SIMPLE)
        return 0;
    if (identity->dn == NULL || identity->password == NULL)
        return apw_error_set(error, "an identity without a DN or without a password");
    copy_r->dn = strdup(identity->dn);
    copy_r->password = strdup(identity->password);
    if (copy_r->dn == NULL || copy_r->password == NULL)
        return apw_error_set(error, "out of memory");
    return identity->password[0] != '\0'
               ? 0
               : apw_error_set(error, "the password of %s is empty", identity->dn);
}

void apw_identity_wipe(struct apw_identity *identity)
{
    free(identity->dn);
    identity->dn = NULL;
    free(identity->password_file);
    identity->password_file = NULL;
    apw_secret_free(&identity->password);
}
