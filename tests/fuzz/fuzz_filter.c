/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter that contains a login. Whatever the login is, the filter must compare exactly that. */
#include "fuzz.h"
#include "ldap/directory.h"
#include "ldap/filter.h"
#include "ldap/schema.h"
#include "mfa_rule.h"

FUZZ_FORGIVE_LIBLDAP

/* Walks a value of a filter (RFC 4515, 3) up to its closing parenthesis, undoing the escapes. */
static const char *read_value(const char *at, char *value_r)
{
    for (; *at != ')'; value_r++) {
        unsigned byte;

        FUZZ_MUST(*at != '\0' && *at != '(' && *at != '*');
        if (*at != '\\') {
            *value_r = *at++;
        } else {
            FUZZ_MUST(sscanf(at + 1, "%2x", &byte) == 1);
            *value_r = (char)byte;
            at += 3;
        }
    }
    *value_r = '\0';
    return at + 1;
}

static void try_login(const char *login)
{
    char *expanded = apw_filter_expand("(u=%u)(n=%n)(d=%d)", login);
    char *value = malloc(strlen(expanded) + 1);
    const char *domain = strrchr(login, '@'), *at = expanded;

    bool has_two_forms =
        strncmp(expanded, "(|", 2) == 0; /* of the domain; the typed one is first */

    FUZZ_MUST(expanded != NULL);
    at += has_two_forms ? 2 : 0;
    FUZZ_MUST(strncmp(at, "(u=", 3) == 0);
    at = read_value(at + 3, value);
    FUZZ_MUST(strcmp(value, login) == 0);
    FUZZ_MUST(strncmp(at, "(n=", 3) == 0);
    at = read_value(at + 3, value);
    FUZZ_MUST(domain != NULL ? strlen(value) == (size_t)(domain - login) &&
                                   strncmp(value, login, strlen(value)) == 0
                             : strcmp(value, login) == 0);
    FUZZ_MUST(strncmp(at, "(d=", 3) == 0);
    at = read_value(at + 3, value);
    FUZZ_MUST(strcmp(value, domain != NULL ? domain + 1 : "") == 0);
    FUZZ_MUST(has_two_forms ? strncmp(at, "(u=", 3) == 0 : *at == '\0');
    free(value);
    free(expanded);
}

/* What configuration files may ask about a filter. */
static void try_rules(const char *filter)
{
    static const char base[] = "dc=example,dc=org";
    struct apw_error error = {""};
    char *negated = apw_filter_negate(filter);

    FUZZ_MUST(negated != NULL && apw_filter_check(negated, false, &error) == 0);
    free(negated);
    if (apw_mfa_rule_check(filter, NULL, base, &error) == 0)
        error.text[0] = '\0';
    else
        FUZZ_MUST(error.text[0] != '\0');
    apw_mfa_rule_check(APW_MFA_RULE_DEFAULT, filter, base, &error);
    apw_mfa_rule_check(filter, filter, base, &error);
    apw_mfa_rule_check_strictly(filter, APW_MFA_RULE_DEFAULT_OFF, base, &error);
    apw_mfa_rule_check_disabled(filter, base, base, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length);
    struct apw_schema_element element;
    struct apw_error error;
    char *expanded;

    try_login(text);
    if (apw_filter_check(text, true, &error) == 0) {
        expanded = apw_filter_expand(text, "log(in*@example.org");
        FUZZ_MUST(apw_filter_check(expanded, false, &error) == 0);
        free(expanded);
    }
    if (apw_filter_check(text, false, &error) == 0)
        try_rules(text);
    apw_schema_is_dn(text);
    apw_schema_parse(text, bytes != NULL && length % 2 == 0, &element);
    free(text);
    return 0;
}
