/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/filter.h"
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_valid_percent(const char *percent)
{
    return strchr("und%", percent[1]) != NULL && percent[1] != '\0' ? percent + 2 : NULL;
}

static char *escape(const char *text, size_t length)
{
    struct berval plain = {.bv_len = length, .bv_val = (char *)text}, escaped = {0, NULL};
    char *copy;

    if (ldap_bv2escaped_filter_value(&plain, &escaped) != 0)
        return NULL;
    copy = strdup(escaped.bv_val != NULL ? escaped.bv_val : "");
    if (escaped.bv_val != NULL && escaped.bv_val != text)
        ber_memfree(escaped.bv_val);
    return copy;
}

static void write_expanded(FILE *stream, const char *template, const char *login, const char *local,
                           const char *domain)
{
    for (const char *at = template; *at != '\0';) {
        const char *next = *at == '%' ? skip_valid_percent(at) : NULL;

        if (next == NULL) {
            fputc(*at++, stream);
            continue;
        }
        fputs(at[1] == 'u' ? login : at[1] == 'n' ? local : at[1] == 'd' ? domain : "%", stream);
        at = next;
    }
}

char *apw_filter_expand(const char *template, const char *login)
{
    const char *at = strrchr(login, '@');
    size_t login_length = strlen(login);
    size_t local_length = at == NULL ? login_length : (size_t)(at - login);
    char *whole = escape(login, login_length), *local = escape(login, local_length),
         *domain = escape(at == NULL ? "" : at + 1, at == NULL ? 0 : strlen(at + 1));
    char *expanded = NULL;
    size_t expanded_size;
    FILE *stream;

    if (whole == NULL || local == NULL || domain == NULL)
        goto out;
    stream = open_memstream(&expanded, &expanded_size);
    if (stream == NULL)
        goto out;
    write_expanded(stream, template, whole, local, domain);
    if (fclose(stream) != 0) {
        free(expanded);
        expanded = NULL;
    }
out:
    free(whole);
    free(local);
    free(domain);
    return expanded;
}

/* Lets libldap parse a filter, which it does before it notices that nobody is at the other end. The
 * error shows `written`. */
static int parse_filter(const char *filter, const char *written, struct apw_error *error)
{
    LDAP *ld;
    int message_id, code;

    if (ldap_initialize(&ld, "ldapi://%2Fdev%2Fnull") != LDAP_SUCCESS)
        return apw_error_set(error, "out of memory");
    code =
        ldap_search_ext(ld, "", LDAP_SCOPE_BASE, filter, NULL, 0, NULL, NULL, NULL, 0, &message_id);
    ldap_unbind_ext(ld, NULL, NULL);
    if (code == LDAP_FILTER_ERROR)
        return apw_error_set(error, "\"%s\" is not an LDAP filter (RFC 4515)", written);
    return 0;
}

/* Fails unless it is one whole filter in parentheses, which can be negated. */
static int check_filter(const char *filter, const char *written, struct apw_error *error)
{
    char *negated;
    int status;

    if (filter[0] != '(')
        return apw_error_set(error, "\"%s\" must begin with a parenthesis", written);
    if (strstr(filter, "(|)") != NULL || strstr(filter, "(&)") != NULL)
        return apw_error_set(error, "\"%s\" contains (|) or (&), which say the same of every entry",
                             written);
    if (strstr(filter, "(=") != NULL) /* libldap 2.5 reads what is before it */
        return apw_error_set(error, "\"%s\" is not an LDAP filter (RFC 4515)", written);
    negated = apw_filter_negate(filter);
    if (negated == NULL)
        return apw_error_set(error, "out of memory");
    status = parse_filter(filter, written, error);
    if (status == 0)
        status = parse_filter(negated, written, error);
    free(negated);
    return status;
}

/* Fails unless the template and this login make a filter. */
static int check_template(const char *template, const char *login, struct apw_error *error)
{
    char *expanded = apw_filter_expand(template, login);
    int status;

    if (expanded == NULL)
        return apw_error_set(error, "out of memory");
    status = check_filter(expanded, template, error);
    free(expanded);
    return status;
}

int apw_filter_check(const char *filter, bool is_template, struct apw_error *error)
{
    if (!is_template)
        return check_filter(filter, filter, error);
    for (const char *at = strchr(filter, '%'); at != NULL; at = strchr(at, '%')) {
        const char *next = skip_valid_percent(at);

        if (next == NULL)
            return apw_error_set(error,
                                 "\"%%%.1s\" is unknown; use %%u (login), %%n (local part), "
                                 "%%d (domain) or %%%%",
                                 at + 1);
        at = next;
    }
    /* Escaped characters show where a login cannot stand; letters that are no hexadecimal digits
     * show where they would complete an escape. */
    return check_template(filter, "(lo*gin)@(exam*ple)", error) != 0
               ? -1
               : check_template(filter, "login@host.example", error);
}

char *apw_filter_negate(const char *filter)
{
    char *negated;

    return asprintf(&negated, "(!%s)", filter) < 0 ? NULL : negated;
}

bool apw_filter_has_login(const char *template)
{
    for (const char *at = strchr(template, '%'); at != NULL; at = strchr(at + 2, '%'))
        if (at[1] == 'u' || at[1] == 'n')
            return true;
    return false;
}

char *apw_filter_exclude(const char *off, const char *on)
{
    char *filter;

    return asprintf(&filter, "(&%s(!%s))", off, on) < 0 ? NULL : filter;
}

/* ---- what a filter says of an entry that is hidden ---- */

/* Every entry shows its objectClass (2.5.4.0). */
static bool compares_object_class(const char *comparison)
{
    return strncasecmp(comparison, "objectClass", 11) == 0 ||
           strncmp(comparison, "2.5.4.0", 7) == 0;
}

/* Reads one filter in parentheses at *at and moves behind it. */
static bool matches_hidden(const char **at)
{
    const char *inside = *at + 1 + strspn(*at + 1, " ");
    char kind = *inside;
    bool is_match = kind == '&';

    if (kind != '&' && kind != '|' &&
        kind != '!') { /* a comparison; parentheses are escaped in it */
        is_match = compares_object_class(inside);
        *at += strcspn(*at, ")");
    } else {
        inside++;
        for (*at = inside + strspn(inside, " "); **at == '('; *at += strspn(*at, " ")) {
            bool is_inner = matches_hidden(at);

            is_match = kind == '&'   ? is_match && is_inner
                       : kind == '|' ? is_match || is_inner
                                     : !is_inner;
        }
    }
    *at += **at == ')';
    return is_match;
}

bool apw_filter_shows_nothing(const char *filter)
{
    return matches_hidden(&filter);
}
