/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa_switch.h"
#include "clock.h"
#include "ldap/filter_tree.h"
#include "manage.h"
#include "update.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The most that one change takes: class, flag, date. */
#define CHANGES_MAX 3
#define DATE_SIZE   (APW_TIMESTAMP_SIZE + 2) /* "20261122101500.0Z" and its NUL */

static const char flag_name[] = "appPasswordMfaEnabled";

int apw_mfa_switch_check(const struct apw_config *config, struct apw_error *error)
{
    const char *filter = config->mfa_filter;

    if (apw_filter_tree_reads(filter, flag_name))
        return 0;
    return apw_error_set(error,
                         "mfa_filter %s in %s does not read %s, so setting it would not turn MFA "
                         "on or off; change the attributes that the filter reads instead",
                         filter, config->path, flag_name);
}

static struct apw_mfa_state state_of(const struct apw_user *user, enum apw_mfa mfa)
{
    return (struct apw_mfa_state){
        .mfa = mfa,
        .has_from = mfa != APW_MFA_OFF && user->has_enforce_from,
        .is_from_readable = user->is_enforce_from_readable,
        .from = user->enforce_from,
    };
}

/* Whether the directory shows neither on nor off because nobody has turned it on or off yet. */
static bool is_undecided(const struct apw_manager *manager, const struct apw_user *user,
                         enum apw_mfa mfa)
{
    return mfa == APW_MFA_UNREADABLE && manager->config->mfa_off_filter != NULL &&
           user->mfa_flag != APW_MFA_FLAG_TRUE;
}

/* The state that `start` leads to; NULL turns MFA off. */
static struct apw_mfa_state decide(const struct apw_user *user, enum apw_mfa mfa,
                                   const struct apw_mfa_start *start, int64_t now)
{
    const int64_t *from = start == NULL ? NULL : start->from;
    bool is_coming = user->is_enforce_from_readable && user->enforce_from > now;

    if (start == NULL)
        return (struct apw_mfa_state){.mfa = APW_MFA_OFF};
    if (start->is_only_if_off && (mfa != APW_MFA_OFF || is_coming))
        from = user->is_enforce_from_readable ? &user->enforce_from : NULL;
    return (struct apw_mfa_state){
        .mfa = APW_MFA_ON,
        .has_from = from != NULL,
        .is_from_readable = true,
        .from = from == NULL ? 0 : *from,
    };
}

/* The moment as a GeneralizedTime that this directory takes; -1 outside the years 0 to 9999. */
static int format_date(const struct apw_config *config, int64_t moment, char date_r[DATE_SIZE])
{
    char timestamp[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(moment, timestamp) != 0)
        return -1;
    timestamp[strcspn(timestamp, "Z")] = '\0';
    snprintf(date_r, DATE_SIZE, "%s%s", timestamp, apw_directory_traits(config->directory)->utc);
    return 0;
}

/* How to set the flag. One that is hidden may say that MFA is on. Adding a flag then fails, so only
 * MFA that is enforced at once replaces it. */
static enum apw_change_kind kind_of_change(const struct apw_user *user,
                                           const struct apw_mfa_state *after)
{
    bool is_enforced = after->mfa == APW_MFA_ON && !after->has_from;

    return user->mfa_flag != APW_MFA_FLAG_ABSENT || is_enforced ? APW_CHANGE_REPLACE
                                                                : APW_CHANGE_ADD;
}

/* Plans the changes from `user` to `after`. `mfa` is as it was read, `date` that of `after` as
 * text. */
static size_t plan(const struct apw_user *user, enum apw_mfa mfa, const struct apw_mfa_state *after,
                   const char *date, struct apw_change changes_r[CHANGES_MAX])
{
    bool is_on = after->mfa == APW_MFA_ON;
    bool set_flag = is_on ? user->mfa_flag != APW_MFA_FLAG_TRUE
                          : user->mfa_flag == APW_MFA_FLAG_TRUE ||
                                (user->mfa_flag == APW_MFA_FLAG_ABSENT && mfa == APW_MFA_ON);
    bool set_date = after->has_from
                        ? !user->is_enforce_from_readable || user->enforce_from != after->from
                        : user->has_enforce_from;
    size_t count = 0;

    if (!set_flag && !set_date)
        return 0;
    if (!user->has_class)
        changes_r[count++] = (struct apw_change){APW_CHANGE_ADD, "objectClass", APW_UPDATE_CLASS};
    if (set_flag)
        changes_r[count++] =
            (struct apw_change){kind_of_change(user, after), flag_name, is_on ? "TRUE" : "FALSE"};
    if (set_date)
        changes_r[count++] = (struct apw_change){APW_CHANGE_REPLACE, "appPasswordMfaEnforceFrom",
                                                 after->has_from ? date : NULL};
    return count;
}

/* mfa_filter may read more than the flag, and disagree. */
static enum apw_manage_result confirm(const struct apw_manager *manager,
                                      const struct apw_user *user, enum apw_mfa wanted,
                                      struct apw_error *error)
{
    bool is_on = wanted == APW_MFA_ON;
    enum apw_mfa mfa;

    if (manager->is_dry_run)
        return APW_MANAGE_DONE;
    /* If it cannot be read back, trust the write. */
    if (apw_user_mfa(manager, user, &mfa, error) != APW_MANAGE_DONE || mfa == wanted)
        return APW_MANAGE_DONE;
    apw_error_set(error, "%s is %s now, but by mfa_filter %s MFA is still %s", flag_name,
                  is_on ? "TRUE" : "not TRUE", manager->config->mfa_filter, is_on ? "off" : "on");
    return APW_MANAGE_REFUSED;
}

struct request {
    const struct apw_mfa_start *start; /* NULL turns MFA off */
    struct apw_mfa_switched *switched_r;
};

static enum apw_manage_result set_mfa(const struct apw_manager *manager,
                                      const struct apw_user *user, void *context,
                                      struct apw_error *error)
{
    const struct request *request = context;
    int64_t now = (int64_t)time(NULL);
    struct apw_change changes[CHANGES_MAX];
    char date[DATE_SIZE] = "";
    enum apw_manage_result result, confirmed;
    struct apw_mfa_state after;
    enum apw_mfa mfa;
    size_t count;

    if (apw_user_mfa(manager, user, &mfa, error) == APW_MANAGE_UNAVAILABLE)
        return APW_MANAGE_UNAVAILABLE;
    after = decide(user, is_undecided(manager, user, mfa) ? APW_MFA_OFF : mfa, request->start, now);
    if (after.has_from && format_date(manager->config, after.from, date) != 0) {
        apw_error_set(error, "the date lies outside the years 0 to 9999");
        return APW_MANAGE_INVALID;
    }
    *request->switched_r = (struct apw_mfa_switched){
        .before = state_of(user, mfa),
        .after = after,
        .has_app_password = apw_manage_has_working_password(user, now),
    };
    if (mfa == APW_MFA_UNREADABLE && manager->config->mfa_off_filter != NULL)
        mfa = APW_MFA_ON; /* off must be shown: write FALSE even if the flag is missing */
    count = plan(user, mfa, &after, date, changes);
    result =
        count == 0 ? APW_MANAGE_UNCHANGED : apw_update_apply(manager, user, changes, count, error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED)
        return result;
    confirmed = confirm(manager, user, after.mfa, error);
    return confirmed == APW_MANAGE_DONE ? result : confirmed;
}

static enum apw_manage_result turn(const struct apw_manager *manager,
                                   const struct apw_target *target,
                                   const struct apw_mfa_start *start,
                                   struct apw_mfa_switched *switched_r, struct apw_error *error)
{
    struct request request = {.start = start, .switched_r = switched_r};

    if (apw_mfa_switch_check(manager->config, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    return apw_update_user(manager, target, set_mfa, &request, error);
}

enum apw_manage_result apw_mfa_switch_on(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_mfa_start *start,
                                         struct apw_mfa_switched *switched_r,
                                         struct apw_error *error)
{
    return turn(manager, target, start, switched_r, error);
}

enum apw_manage_result apw_mfa_switch_off(const struct apw_manager *manager,
                                          const struct apw_target *target,
                                          struct apw_mfa_switched *switched_r,
                                          struct apw_error *error)
{
    return turn(manager, target, NULL, switched_r, error);
}
