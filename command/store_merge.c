/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_merge.h"
#include "record.h"
#include "secret.h"
#include "tombstone.h"
#include "use.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "appPassword"

const char *const apw_store_merge_attributes[] = {PASSWORD,
                                                  APW_STORE_MERGE_FLAG,
                                                  APW_STORE_MERGE_FROM,
                                                  APW_STORE_MERGE_METHOD,
                                                  APW_STORE_MERGE_USED,
                                                  NULL};

static size_t count_of(const struct apw_attribute *attribute)
{
    return attribute != NULL ? attribute->count : 0;
}

static bool has_value(const struct apw_attribute *attribute, const struct apw_value *value)
{
    for (size_t i = 0; i < count_of(attribute); i++)
        if (attribute->value[i].length == value->length &&
            memcmp(attribute->value[i].bytes, value->bytes, value->length) == 0)
            return true;
    return false;
}

/* Whether the other side has nothing of ours, and so nothing that was removed. Where the flag is
 * not copied, it is the site's own. */
static bool is_fresh(const struct apw_store_pair *pair)
{
    for (const char *const *name = apw_store_merge_attributes; *name != NULL; name++)
        if (count_of(apw_entry_attribute(pair->to, *name)) > 0 &&
            (strcmp(*name, APW_STORE_MERGE_FLAG) != 0 || pair->flag != NULL))
            return false;
    return true;
}

/* Notes a conflict; only the first is explained. */
__attribute__((format(printf, 2, 3))) static void refuse(struct apw_store_merge *merge,
                                                         const char *format, ...)
{
    va_list arguments;

    if (merge->conflicts++ > 0)
        return;
    va_start(arguments, format);
    vsnprintf(merge->conflict.text, sizeof merge->conflict.text, format, arguments);
    va_end(arguments);
}

static bool is_planned(const struct apw_store_merge *merge, const char *value)
{
    for (size_t i = 0; i < merge->count; i++)
        if (strcmp(merge->value[i], value) == 0)
            return true;
    return false;
}

/* Adds a change with a copy of the value. */
static int plan(struct apw_store_merge *merge, enum apw_change_kind kind, const char *attribute,
                const struct apw_value *value)
{
    char *copy;

    if (memchr(value->bytes, 0, value->length) != NULL) {
        refuse(merge, "a value of %s has a zero byte", attribute);
        return 0;
    }
    if (is_planned(merge, value->bytes))
        return 0;
    copy = strndup(value->bytes, value->length);
    if (copy == NULL)
        return -1;
    merge->value[merge->count] = copy;
    merge->change[merge->count++] = (struct apw_change){kind, attribute, copy};
    return 0;
}

/* ---- attributes that are copied as they are ---- */

static bool are_same(const struct apw_attribute *one, const struct apw_attribute *other)
{
    bool is_same = count_of(one) == count_of(other);

    for (size_t i = 0; is_same && i < count_of(one); i++)
        is_same = has_value(other, &one->value[i]);
    return is_same;
}

/* Adds all values, unless there are others already, or there were. */
static int merge_whole(const struct apw_store_pair *pair, const char *name,
                       const struct apw_attribute *from, struct apw_store_merge *merge)
{
    const struct apw_attribute *to = apw_entry_attribute(pair->to, name);
    int status = 0;

    if (count_of(from) == 0 || are_same(from, to))
        return 0;
    if (count_of(to) > 0) {
        refuse(merge, "%s has another value of %s", pair->to->dn, name);
        return 0;
    }
    if (!is_fresh(pair)) {
        refuse(merge, "%s has no %s, but others of ours: it may have been removed there",
               pair->to->dn, name);
        return 0;
    }
    for (size_t i = 0; status == 0 && i < from->count; i++)
        status = plan(merge, APW_CHANGE_ADD, name, &from->value[i]);
    return status;
}

static int merge_flag(const struct apw_store_pair *pair, struct apw_store_merge *merge)
{
    struct apw_value value = {(char *)pair->flag, 0};
    const struct apw_attribute flag = {.count = 1, .value = &value};

    if (pair->flag == NULL)
        return 0;
    value.length = strlen(pair->flag);
    return merge_whole(pair, APW_STORE_MERGE_FLAG, &flag, merge);
}

/* ---- app passwords ---- */

/* Reads the id of a value; whether it has one. */
static bool read_id(const struct apw_value *value, char id_r[APW_ID_LENGTH + 1], bool *is_revoked_r)
{
    struct apw_tombstone tombstone;

    *is_revoked_r = apw_tombstone_parse(value->bytes, value->length, &tombstone) == 0;
    return apw_record_parse_id(value->bytes, value->length, id_r) == 0;
}

/* Whether a value has that id and is, or is not, of a revoked app password. */
static bool is_value_of(const struct apw_value *value, const char *id, bool is_revoked)
{
    char other[APW_ID_LENGTH + 1];
    bool is_other_revoked;

    return read_id(value, other, &is_other_revoked) && is_other_revoked == is_revoked &&
           strcmp(other, id) == 0;
}

static bool has_id(const struct apw_attribute *values, const char *id, bool is_revoked)
{
    for (size_t i = 0; i < count_of(values); i++)
        if (is_value_of(&values->value[i], id, is_revoked))
            return true;
    return false;
}

/* Revokes there what is revoked here. */
static int merge_tombstone(const struct apw_attribute *to, const struct apw_value *value,
                           const char *id, struct apw_store_merge *merge)
{
    int status = plan(merge, APW_CHANGE_ADD, PASSWORD, value);

    for (size_t i = 0; status == 0 && i < count_of(to); i++)
        if (is_value_of(&to->value[i], id, false))
            status = plan(merge, APW_CHANGE_DELETE, PASSWORD, &to->value[i]);
    return status;
}

static int merge_password(const struct apw_store_pair *pair, const struct apw_value *value,
                          struct apw_store_merge *merge)
{
    const struct apw_attribute *to = apw_entry_attribute(pair->to, PASSWORD);
    char id[APW_ID_LENGTH + 1] = "";
    bool is_revoked;
    bool has_this_id = read_id(value, id, &is_revoked);

    if (has_value(to, value) || (has_this_id && has_id(to, id, true)))
        return 0;
    if (!has_this_id && !is_fresh(pair))
        refuse(merge, "%s does not have a value of %s that has no id: it may have been removed",
               pair->to->dn, PASSWORD);
    else if (has_this_id && is_revoked)
        return merge_tombstone(to, value, id, merge);
    else if (has_this_id && has_id(to, id, false))
        refuse(merge, "%s has another app password with the id %s", pair->to->dn, id);
    else
        return plan(merge, APW_CHANGE_ADD, PASSWORD, value);
    return 0;
}

/* ---- the last use ---- */

static bool is_use_of(const struct apw_value *value, const char *id, struct apw_use *use_r)
{
    return apw_use_parse(value->bytes, value->length, use_r) == 0 && strcmp(use_r->id, id) == 0;
}

/* Whether one of the values is a use of that id at `at` or later. */
static bool has_use(const struct apw_attribute *uses, const char *id, int64_t at)
{
    struct apw_use other;

    for (size_t i = 0; i < count_of(uses); i++)
        if (is_use_of(&uses->value[i], id, &other) && other.at >= at)
            return true;
    return false;
}

/* Replaces earlier uses of an id. Leaves out what is unreadable. */
static int merge_use(const struct apw_store_pair *pair, const struct apw_value *value,
                     struct apw_store_merge *merge)
{
    const struct apw_attribute *from = apw_entry_attribute(pair->from, APW_STORE_MERGE_USED);
    const struct apw_attribute *to = apw_entry_attribute(pair->to, APW_STORE_MERGE_USED);
    struct apw_use use, other;
    int status;

    if (apw_use_parse(value->bytes, value->length, &use) != 0 || has_use(to, use.id, use.at) ||
        has_use(from, use.id, use.at + 1))
        return 0;
    status = plan(merge, APW_CHANGE_ADD, APW_STORE_MERGE_USED, value);
    for (size_t i = 0; status == 0 && i < count_of(to); i++)
        if (is_use_of(&to->value[i], use.id, &other))
            status = plan(merge, APW_CHANGE_DELETE, APW_STORE_MERGE_USED, &to->value[i]);
    return status;
}

/* ---- all of it ---- */

static size_t count_values(const struct apw_entry *entry)
{
    size_t count = 0;

    for (const char *const *name = apw_store_merge_attributes; *name != NULL; name++)
        count += count_of(apw_entry_attribute(entry, *name));
    return count;
}

/* Room for each value of one side to be added, each of the other to be deleted, the flag and one
 * more. */
static int reserve(const struct apw_store_pair *pair, struct apw_store_merge *merge)
{
    merge->size = count_values(pair->from) + count_values(pair->to) + 2;
    merge->change = calloc(merge->size, sizeof *merge->change);
    merge->value = calloc(merge->size, sizeof *merge->value);
    return merge->change != NULL && merge->value != NULL ? 0 : -1;
}

static int plan_all(const struct apw_store_pair *pair, struct apw_store_merge *merge)
{
    static const char *const whole[] = {APW_STORE_MERGE_FROM, APW_STORE_MERGE_METHOD};
    const struct apw_attribute *passwords = apw_entry_attribute(pair->from, PASSWORD);
    const struct apw_attribute *uses = apw_entry_attribute(pair->from, APW_STORE_MERGE_USED);
    int status = reserve(pair, merge);

    for (size_t i = 0; status == 0 && i < count_of(passwords); i++)
        status = merge_password(pair, &passwords->value[i], merge);
    for (size_t i = 0; status == 0 && i < sizeof whole / sizeof *whole; i++)
        status = merge_whole(pair, whole[i], apw_entry_attribute(pair->from, whole[i]), merge);
    for (size_t i = 0; status == 0 && i < count_of(uses); i++)
        status = merge_use(pair, &uses->value[i], merge);
    return status == 0 ? merge_flag(pair, merge) : status;
}

enum apw_manage_result apw_store_merge_plan(const struct apw_store_pair *pair,
                                            struct apw_store_merge *merge_r,
                                            struct apw_error *error)
{
    *merge_r = (struct apw_store_merge){.count = 0};
    if (plan_all(pair, merge_r) == 0)
        return merge_r->count > 0 ? APW_MANAGE_DONE : APW_MANAGE_UNCHANGED;
    apw_error_set(error, "out of memory");
    apw_store_merge_clear(merge_r);
    return APW_MANAGE_UNAVAILABLE;
}

size_t apw_store_merge_count(const struct apw_store_merge *merge, const char *attribute)
{
    size_t count = 0;

    for (size_t i = 0; i < merge->count; i++)
        if (merge->change[i].kind == APW_CHANGE_ADD &&
            strcmp(merge->change[i].attribute, attribute) == 0)
            count++;
    return count;
}

void apw_store_merge_clear(struct apw_store_merge *merge)
{
    for (size_t i = 0; merge->value != NULL && i < merge->size; i++)
        apw_secret_free(&merge->value[i]); /* hashes */
    free(merge->value);
    free(merge->change);
    *merge = (struct apw_store_merge){.count = 0};
}
