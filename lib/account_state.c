/* SPDX-License-Identifier: BSD-2-Clause */
#include "account_state.h"
#include "clock.h"
#include "shown.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DISABLED_BIT     INT64_C(0x2) /* ADS_UF_ACCOUNTDISABLE */
#define FILETIME_1970    INT64_C(11644473600)
#define FILETIME_PER_S   INT64_C(10000000)
#define SECONDS_PER_DAY  INT64_C(86400)
#define LOCKED_FOR_GOOD  "0000" /* the year of pwdAccountLockedTime in an administrator's lock */
#define NEVER_IN_SHADOW  (-1)
#define NEVER_IN_MIT_KRB 0 /* kadmin writes "never" as 19700101000000Z */

static bool begins(const struct apw_value *value, const char *start)
{
    return value->length >= strlen(start) && strncasecmp(value->bytes, start, strlen(start)) == 0;
}

/* The whole value as a decimal number; -1 if it is not one or too large. */
static int read_number(const struct apw_value *value, int64_t *number_r)
{
    bool is_negative = value->length > 0 && value->bytes[0] == '-';
    int64_t number = 0;

    if (value->length == (size_t)is_negative)
        return -1;
    for (size_t i = is_negative; i < value->length; i++) {
        if (value->bytes[i] < '0' || value->bytes[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, value->bytes[i] - '0', &number))
            return -1;
    }
    *number_r = is_negative ? -number : number;
    return 0;
}

static int read_time(const struct apw_value *value, int64_t *seconds_r)
{
    return apw_clock_parse_generalized_time(value->bytes, value->length, seconds_r);
}

static enum apw_account_state ended_if(bool is_ended)
{
    return is_ended ? APW_ACCOUNT_STATE_ENDED : APW_ACCOUNT_STATE_ACTIVE;
}

/* ---- one value of each attribute ---- */

static enum apw_account_state judge_locked_time(const struct apw_value *value, int64_t now)
{
    int64_t locked;

    (void)now;
    if (begins(value, LOCKED_FOR_GOOD))
        return APW_ACCOUNT_STATE_ENDED;
    return read_time(value, &locked) == 0 ? APW_ACCOUNT_STATE_ACTIVE : APW_ACCOUNT_STATE_UNREADABLE;
}

/* 389 Directory Server looks at the first four letters. */
static enum apw_account_state judge_account_lock(const struct apw_value *value, int64_t now)
{
    (void)now;
    if (begins(value, "TRUE"))
        return APW_ACCOUNT_STATE_ENDED;
    return value->length == strlen("FALSE") && begins(value, "FALSE")
               ? APW_ACCOUNT_STATE_ACTIVE
               : APW_ACCOUNT_STATE_UNREADABLE;
}

static enum apw_account_state judge_start(const struct apw_value *value, int64_t now)
{
    int64_t start;

    return read_time(value, &start) == 0 ? ended_if(now < start) : APW_ACCOUNT_STATE_UNREADABLE;
}

static enum apw_account_state judge_end(const struct apw_value *value, int64_t now)
{
    int64_t end;

    return read_time(value, &end) == 0 ? ended_if(now >= end) : APW_ACCOUNT_STATE_UNREADABLE;
}

static enum apw_account_state judge_control(const struct apw_value *value, int64_t now)
{
    int64_t bits;

    (void)now;
    return read_number(value, &bits) == 0 ? ended_if((bits & DISABLED_BIT) != 0)
                                          : APW_ACCOUNT_STATE_UNREADABLE;
}

static enum apw_account_state judge_filetime(const struct apw_value *value, int64_t now)
{
    int64_t ticks;

    if (read_number(value, &ticks) != 0 || ticks < 0)
        return APW_ACCOUNT_STATE_UNREADABLE;
    if (ticks == 0 || ticks == INT64_MAX)
        return APW_ACCOUNT_STATE_ACTIVE;
    return ended_if(now >= ticks / FILETIME_PER_S - FILETIME_1970);
}

static enum apw_account_state judge_principal(const struct apw_value *value, int64_t now)
{
    int64_t end;

    if (read_time(value, &end) != 0)
        return APW_ACCOUNT_STATE_UNREADABLE;
    return ended_if(end != NEVER_IN_MIT_KRB && now >= end);
}

/* shadow(5). pam_unix also takes 0 for a past day. */
static enum apw_account_state judge_shadow(const struct apw_value *value, int64_t now)
{
    int64_t day;

    if (value->length == 0)
        return APW_ACCOUNT_STATE_ACTIVE;
    if (read_number(value, &day) != 0 || day < NEVER_IN_SHADOW)
        return APW_ACCOUNT_STATE_UNREADABLE;
    return ended_if(day != NEVER_IN_SHADOW && now / SECONDS_PER_DAY >= day);
}

/* ---- all of them ---- */

static const struct rule {
    const char *attribute;
    enum apw_account_state (*judge)(const struct apw_value *value, int64_t now);
} rules[APW_ACCOUNT_STATE_ATTRIBUTES] = {
    {"pwdAccountLockedTime", judge_locked_time},
    {"nsAccountLock", judge_account_lock},
    {"pwdStartTime", judge_start},
    {"pwdEndTime", judge_end},
    {"userAccountControl", judge_control},
    {"accountExpires", judge_filetime},
    {"krbPrincipalExpiration", judge_principal},
    {"shadowExpire", judge_shadow},
};

const char *const apw_account_state_attributes[APW_ACCOUNT_STATE_ATTRIBUTES] = {
    "pwdAccountLockedTime", "nsAccountLock",  "pwdStartTime",           "pwdEndTime",
    "userAccountControl",   "accountExpires", "krbPrincipalExpiration", "shadowExpire",
};

static const struct rule *rule_for(const char *attribute)
{
    for (size_t i = 0; i < APW_ACCOUNT_STATE_ATTRIBUTES; i++)
        if (strcasecmp(rules[i].attribute, attribute) == 0)
            return &rules[i];
    return NULL;
}

/* The worst of its values: ended before unreadable before active. */
static enum apw_account_state judge(const struct apw_attribute *attribute, int64_t now)
{
    const struct rule *rule = rule_for(attribute->name);
    enum apw_account_state state = APW_ACCOUNT_STATE_ACTIVE;

    for (size_t i = 0; rule != NULL && i < attribute->count; i++) {
        enum apw_account_state one = rule->judge(&attribute->value[i], now);

        if (one == APW_ACCOUNT_STATE_ENDED)
            return one;
        if (one != APW_ACCOUNT_STATE_ACTIVE)
            state = APW_ACCOUNT_STATE_UNREADABLE;
    }
    return state;
}

static enum apw_account_state find_missing(const struct apw_entry *entry,
                                           enum apw_directory_type type, struct apw_error *error)
{
    const char *const *name = apw_directory_traits(type)->account_attributes;

    for (; *name != NULL; name++) {
        const struct apw_attribute *attribute = apw_entry_attribute(entry, *name);

        if (attribute != NULL && attribute->count > 0)
            continue;
        apw_error_set(error, "%s cannot be read, so the account may have ended", *name);
        return APW_ACCOUNT_STATE_UNREADABLE;
    }
    return APW_ACCOUNT_STATE_ACTIVE;
}

enum apw_account_state apw_account_state_read(const struct apw_entry *entry,
                                              enum apw_directory_type type, int64_t now,
                                              struct apw_error *error)
{
    enum apw_account_state state = find_missing(entry, type, error);

    for (size_t i = 0; i < entry->attribute_count; i++) {
        const struct apw_attribute *attribute = &entry->attribute[i];
        enum apw_account_state one = judge(attribute, now);

        if (one == APW_ACCOUNT_STATE_ENDED) {
            apw_error_set(error, "%s ends the account", attribute->name);
            return one;
        }
        if (one != APW_ACCOUNT_STATE_ACTIVE) {
            apw_error_set(error, "%s is invalid, so the account may have ended", attribute->name);
            state = APW_ACCOUNT_STATE_UNREADABLE;
        }
    }
    return state;
}

enum apw_account_state apw_account_state_ask(const struct apw_world *world,
                                             const struct apw_config *config, const char *dn,
                                             int64_t deadline, struct apw_error *error)
{
    const struct apw_shown_question question = {.name = "disabled",
                                                .filter = config->disabled_filter,
                                                .witness = config->disabled_witness,
                                                .seen = world->disabled_witness};

    switch (apw_shown_read(world, &question, dn, false, deadline, error)) {
    case APW_SHOWN_OFF:
        return APW_ACCOUNT_STATE_ACTIVE;
    case APW_SHOWN_ON:
        apw_error_set(error, "disabled_filter matches");
        return APW_ACCOUNT_STATE_ENDED;
    case APW_SHOWN_UNAVAILABLE:
    case APW_SHOWN_NEITHER:
        break;
    }
    return APW_ACCOUNT_STATE_UNREADABLE;
}
