/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/filter.h"
#include "idna.h"
#include "ldap/filter_tree.h"
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_valid_percent(const char *percent)
{
    return strchr("undtb%", percent[1]) != NULL && percent[1] != '\0' ? percent + 2 : NULL;
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

/* The values of a template's letters, escaped. Owned. */
struct parts {
    char *login;    /* %u */
    char *local;    /* %n */
    char *domain;   /* %d */
    char *untagged; /* %t */
    char *unrooted; /* %b */
};

static void free_parts(struct parts *parts)
{
    free(parts->login);
    free(parts->local);
    free(parts->domain);
    free(parts->untagged);
    free(parts->unrooted);
}

static int split(const char *login, struct parts *parts_r)
{
    const char *at = strrchr(login, '@');
    size_t length = at == NULL ? strlen(login) : (size_t)(at - login);
    const char *plus = length == 0 ? NULL : memchr(login + 1, '+', length - 1);
    const char *backslash = length == 0 ? NULL : memchr(login, '\\', length);
    const char *account = backslash == NULL ? login : backslash + 1;

    *parts_r = (struct parts){
        .login = escape(login, strlen(login)),
        .local = escape(login, length),
        .domain = escape(at == NULL ? "" : at + 1, at == NULL ? 0 : strlen(at + 1)),
        .untagged = escape(login, plus == NULL ? length : (size_t)(plus - login)),
        .unrooted = escape(account, (size_t)(login + length - account)),
    };
    if (parts_r->login != NULL && parts_r->local != NULL && parts_r->domain != NULL &&
        parts_r->untagged != NULL && parts_r->unrooted != NULL)
        return 0;
    free_parts(parts_r);
    return -1;
}

static const char *part_of(const struct parts *parts, char letter)
{
    switch (letter) {
    case 'u':
        return parts->login;
    case 'n':
        return parts->local;
    case 'd':
        return parts->domain;
    case 't':
        return parts->untagged;
    case 'b':
        return parts->unrooted;
    default:
        return "%";
    }
}

/* The next piece of the filter; moves on in the template. */
static const char *take_piece(const char **template, const struct parts *parts, size_t *length_r)
{
    const char *at = *template, *next = *at == '%' ? skip_valid_percent(at) : NULL;

    if (next == NULL) {
        *length_r = 1 + strcspn(at + 1, "%");
        *template = at + *length_r;
        return at;
    }
    *template = next;
    at = part_of(parts, at[1]);
    *length_r = strlen(at);
    return at;
}

static char *expand(const char *template, const char *login)
{
    size_t length, size = 1;
    char *expanded, *end;
    struct parts parts;

    if (split(login, &parts) != 0)
        return NULL;
    for (const char *rest = template; *rest != '\0'; size += length)
        take_piece(&rest, &parts, &length);
    expanded = end = malloc(size);
    for (const char *rest = template; expanded != NULL && *rest != '\0';) {
        const char *piece = take_piece(&rest, &parts, &length);

        end = mempcpy(end, piece, length);
    }
    if (expanded != NULL)
        *end = '\0';
    free_parts(&parts);
    return expanded;
}

char *apw_filter_expand(const char *template, const char *login)
{
    char *filter = NULL, *typed, *ascii_filter, *ascii;

    if (apw_idna_login(login, &ascii) != 0)
        return NULL;
    if (ascii == NULL)
        return expand(template, login);
    typed = expand(template, login);
    ascii_filter = expand(template, ascii);
    if (typed == NULL || ascii_filter == NULL ||
        asprintf(&filter, "(|%s%s)", typed, ascii_filter) < 0)
        filter = NULL;
    free(typed);
    free(ascii_filter);
    free(ascii);
    return filter;
}

char *apw_filter_expand_any(const char *template)
{
    char *filter = malloc(strlen(template) + 1), *end = filter;

    if (filter == NULL)
        return NULL;
    for (const char *at = template; *at != '\0';) {
        const char *next = *at == '%' ? skip_valid_percent(at) : NULL;
        char c = next == NULL || at[1] == '%' ? *at : '*';

        if (c != '*' || end == filter || end[-1] != '*') /* two in a row are not a filter */
            *end++ = c;
        at = next == NULL ? at + 1 : next;
    }
    *end = '\0';
    return filter;
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
        return apw_error_set(error, "\"%s\" contains (|) or (&), which match every entry or none",
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

static bool has_letter(const char *template, const char *letters)
{
    return apw_filter_tree_has_letter(template, strlen(template), letters);
}

int apw_filter_check(const char *filter, bool is_template, struct apw_error *error)
{
    if (!is_template)
        return check_filter(filter, filter, error);
    for (const char *at = strchr(filter, '%'); at != NULL; at = strchr(at, '%')) {
        const char *next = skip_valid_percent(at);

        if (next == NULL)
            return apw_error_set(
                error,
                "\"%%%.1s\" is unknown; use %%u (login), %%n (local part), %%t (local part without "
                "its +tag), %%b (after DOMAIN\\), %%d (domain) or %%%%",
                at + 1);
        at = next;
    }
    if (!has_letter(filter, "untb"))
        return apw_error_set(
            error, "\"%s\" must contain %%u (the login), %%n (its local part), %%t or %%b", filter);
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

int apw_filter_check_name(const char *template, struct apw_error *error)
{
    if (!has_letter(template, "tb") && !apw_filter_tree_ignores(template, "un") &&
        !apw_filter_tree_ignores(template, "ud"))
        return 0;
    return apw_error_set(error, "filter finds one entry by many logins (%%n without %%d, %%t or "
                                "%%b), so the login cannot be the name; add \"login_attribute "
                                "uid\", or whichever attribute has the name of the mailbox");
}

char *apw_filter_both(const char *a, const char *b)
{
    char *filter;

    return asprintf(&filter, "(&%s%s)", a, b) < 0 ? NULL : filter;
}

char *apw_filter_exclude(const char *off, const char *on)
{
    char *filter;

    return asprintf(&filter, "(&%s(!%s))", off, on) < 0 ? NULL : filter;
}
