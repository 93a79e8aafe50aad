/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/filter_tree.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The text after the parenthesis and its spaces: '&', '|', '!', or a comparison. */
static const char *inside_of(const char *filter)
{
    return filter + 1 + strspn(filter + 1, " ");
}

/* 0 for a comparison. */
static char kind_of(const char *filter)
{
    char kind = *inside_of(filter);

    return kind == '&' || kind == '|' || kind == '!' ? kind : '\0';
}

/* Parentheses are escaped in comparisons. */
static const char *end_of(const char *filter)
{
    int depth = 0;

    do
        depth += (*filter == '(') - (*filter == ')');
    while (*filter != '\0' && *filter++ != '\0' && depth > 0);
    return filter;
}

static const char *first_part(const char *filter)
{
    const char *behind = inside_of(filter) + 1;

    return behind + strspn(behind, " ");
}

static const char *next_part(const char *part)
{
    const char *behind = end_of(part);

    return behind + strspn(behind, " ");
}

#define EACH_PART(part, filter)                                                                    \
    for (const char *part = first_part(filter); *part == '('; part = next_part(part))

static size_t attribute_length(const char *comparison)
{
    return strcspn(comparison, "=~<>:; )");
}

static bool is_same_attribute(const char *one, const char *other)
{
    size_t length = attribute_length(one);

    return length == attribute_length(other) && strncasecmp(one, other, length) == 0;
}

/* How comparisons evaluate. Every negation counts as true. */
struct reader {
    bool (*matches)(const char *comparison, const void *context);
    const void *context;
};

static bool evaluate(const char *filter, const struct reader *reader)
{
    char kind = kind_of(filter);
    bool is_all = true, is_any = false;

    if (kind == '\0')
        return reader->matches(filter, reader->context);
    if (kind == '!')
        return true;
    EACH_PART (part, filter) {
        bool is_match = evaluate(part, reader);

        is_all = is_all && is_match;
        is_any = is_any || is_match;
    }
    return kind == '&' ? is_all : is_any;
}

/* ---- off ---- */

/* Whether a comparison in the filter reads the attribute of this one. */
static bool reads(const char *filter, const char *comparison)
{
    if (kind_of(filter) == '\0')
        return is_same_attribute(inside_of(filter), comparison);
    EACH_PART (part, filter)
        if (reads(part, comparison))
            return true;
    return false;
}

static bool reads_any_of(const char *filter, const char *on)
{
    if (kind_of(filter) == '\0')
        return reads(on, inside_of(filter));
    EACH_PART (part, filter)
        if (reads_any_of(part, on))
            return true;
    return false;
}

static bool is_unread(const char *comparison, const void *on)
{
    return !reads(on, inside_of(comparison));
}

/* Whether the filter may match an entry without the attributes that `on` reads. */
static bool may_match_without(const char *filter, const char *on)
{
    return evaluate(filter, &(const struct reader){is_unread, on});
}

bool apw_filter_tree_infers(const char *off, const char *on)
{
    char kind = kind_of(off);

    if (kind == '\0')
        return false;
    if (kind == '!')
        return reads_any_of(off, on);
    if (kind == '&' && !may_match_without(off, on))
        return false;
    EACH_PART (part, off)
        if (apw_filter_tree_infers(part, on))
            return true;
    return false;
}

/* ---- what hidden attributes leave ---- */

/* Every user has these, with values that many share: the kind of an entry. 2.5.4.0 is objectClass.
 */
static const char *const kinds[] = {"objectClass",        "2.5.4.0",
                                    "objectCategory",     "sAMAccountType",
                                    "userAccountControl", "primaryGroupID"};

/* Every user has these. */
static const char *const names[] = {"uid",
                                    "cn",
                                    "sn",
                                    "mail",
                                    "name",
                                    "entryDN",
                                    "entryUUID",
                                    "nsUniqueId",
                                    "objectGUID",
                                    "objectSid",
                                    "sAMAccountName",
                                    "userPrincipalName",
                                    "distinguishedName"};

static bool is_one_of(const char *inside, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_attribute(inside, list[i]))
            return true;
    return false;
}

/* Whether the comparison asks for a kind, or for any value or a range of values of a name. */
static bool is_about_every_user(const char *inside)
{
    const char *behind = inside + attribute_length(inside);

    if (is_one_of(inside, kinds, sizeof kinds / sizeof kinds[0]))
        return true;
    return (strncmp(behind, "=*)", 3) == 0 || *behind == '<' || *behind == '>') &&
           is_one_of(inside, names, sizeof names / sizeof names[0]);
}

/* What a filter may say of a user whose other attributes are hidden. */
struct outcome {
    bool may_match, may_fail;
};

static struct outcome judge(const char *filter)
{
    char kind = kind_of(filter);
    struct outcome all = {true, false}, any = {false, true};

    if (kind == '\0')
        return (struct outcome){is_about_every_user(inside_of(filter)), true};
    EACH_PART (part, filter) {
        struct outcome one = judge(part);

        all = (struct outcome){all.may_match && one.may_match, all.may_fail || one.may_fail};
        any = (struct outcome){any.may_match || one.may_match, any.may_fail && one.may_fail};
    }
    if (kind == '!')
        return (struct outcome){all.may_fail, all.may_match};
    return kind == '&' ? all : any;
}

bool apw_filter_tree_shows_nothing(const char *filter)
{
    return judge(filter).may_match;
}

bool apw_filter_tree_reads(const char *filter, const char *attribute)
{
    if (kind_of(filter) == '\0')
        return is_same_attribute(inside_of(filter), attribute);
    EACH_PART (part, filter)
        if (apw_filter_tree_reads(part, attribute))
            return true;
    return false;
}

bool apw_filter_tree_reads_only(const char *filter, const char *const *attributes)
{
    if (kind_of(filter) == '\0') {
        while (*attributes != NULL && !is_same_attribute(inside_of(filter), *attributes))
            attributes++;
        return *attributes != NULL;
    }
    EACH_PART (part, filter)
        if (!apw_filter_tree_reads_only(part, attributes))
            return false;
    return true;
}

/* ---- letters ---- */

bool apw_filter_tree_has_letter(const char *text, size_t length, const char *letters)
{
    for (size_t i = 0; i + 1 < length; i++)
        if (text[i] == '%' && strchr(letters, text[++i]) != NULL)
            return true;
    return false;
}

static bool has_no_letter(const char *comparison, const void *letters)
{
    return !apw_filter_tree_has_letter(comparison, (size_t)(end_of(comparison) - comparison),
                                       letters);
}

bool apw_filter_tree_ignores(const char *template, const char *letters)
{
    return evaluate(template, &(const struct reader){has_no_letter, letters});
}

/* ---- all parts ---- */

static bool is_choice_of_values(const char *filter)
{
    const char *first = inside_of(first_part(filter));

    EACH_PART (part, filter) {
        const char *comparison = inside_of(part);
        size_t length = (size_t)(end_of(part) - comparison);
        const char *equals = memchr(comparison, '=', length);

        if (kind_of(part) != '\0' || !is_same_attribute(comparison, first) || equals == NULL ||
            memchr(equals + 1, '=', length - (size_t)(equals + 1 - comparison)) != NULL)
            return false;
    }
    return true;
}

/* `filter` is a part of the text that begins at `from`; `to` is the copy. */
static void match_all(const char *filter, const char *from, char *to)
{
    if (kind_of(filter) != '&' && kind_of(filter) != '|')
        return;
    if (kind_of(filter) == '|' && !is_choice_of_values(filter))
        to[inside_of(filter) - from] = '&';
    EACH_PART (part, filter)
        match_all(part, from, to);
}

char *apw_filter_tree_match_all(const char *filter)
{
    char *copy = strdup(filter);

    if (copy != NULL)
        match_all(filter, filter, copy);
    return copy;
}
