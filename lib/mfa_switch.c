/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa_switch.h"
#include "clock.h"
#include "invitation.h"
#include "ldap/filter_tree.h"
#include "manage.h"
#include "update.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The most that one change takes, apart from invitations: class, flag, date. */
#define CHANGES_MAX 3
#define DATE_SIZE   (APW_TIMESTAMP_SIZE + 2) /* "20261122101500.0Z" and its NUL */

static const char flag_name[] = "appPasswordMfaEnabled";

int apw_mfa_switch_check(const struct apw_config *config, struct apw_error *error)
{
    const char *filter = config->mfa_filter;

    if (apw_config_has_store(config) && !config->store.has_mfa)
        return apw_error_set(
            error,
            "%s reads MFA from the users' directory, by mfa_filter %s: turn it on "
            "and off there (\"store_mfa yes\" would keep it in the store); `app-password "
            "mfa reset --code` makes a code",
            config->path, filter);
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
        .is_default = mfa == APW_MFA_ON && !user->has_holder,
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
    snprintf(date_r, DATE_SIZE, "%s%s", timestamp,
             apw_directory_traits(apw_config_holder(config))->utc);
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
 * text; or, if that has none, the only date to delete, "" for whatever is there. */
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
        changes_r[count++] = (struct apw_change){
            after->has_from || date[0] == '\0' ? APW_CHANGE_REPLACE : APW_CHANGE_DELETE,
            "appPasswordMfaEnforceFrom", date[0] == '\0' ? NULL : date};
    return count;
}

/* mfa_filter may read more than the flag, and disagree. `is_written`: the entry is there now. */
static enum apw_manage_result confirm(const struct apw_manager *manager,
                                      const struct apw_user *user, bool is_written,
                                      enum apw_mfa wanted, struct apw_error *error)
{
    bool is_on = wanted == APW_MFA_ON;
    struct apw_user written = *user; /* borrows */
    enum apw_mfa mfa;

    written.has_holder = written.has_holder || is_written;
    if (manager->is_dry_run)
        return APW_MANAGE_DONE;
    /* If it cannot be read back, trust the write. */
    if (apw_user_mfa(manager, &written, &mfa, error) != APW_MANAGE_DONE || mfa == wanted)
        return APW_MANAGE_DONE;
    apw_error_set(error, "%s is %s now, but by mfa_filter %s MFA is still %s", flag_name,
                  is_on ? "TRUE" : "not TRUE", manager->config->mfa_filter, is_on ? "off" : "on");
    return APW_MANAGE_REFUSED;
}

struct request {
    const struct apw_mfa_start *start; /* NULL turns MFA off */
    bool is_only_if_announced;
    struct apw_mfa_switched *switched_r;
};

/* Makes the changes from `user` to the state in the request. UNCHANGED if there are none. */
static enum apw_manage_result write_state(const struct apw_manager *manager,
                                          const struct apw_user *user, enum apw_mfa mfa,
                                          const struct request *request, struct apw_error *error)
{
    const struct apw_mfa_state *after = &request->switched_r->after;
    /* Only the date that was read: MFA that somebody enforces at the same time stays on. */
    bool is_taken_back = request->is_only_if_announced && user->is_enforce_from_readable;
    enum apw_manage_result result = APW_MANAGE_UNCHANGED;
    struct apw_change *changes;
    char date[DATE_SIZE] = "";
    size_t count;

    if ((after->has_from || is_taken_back) &&
        format_date(manager->config, is_taken_back ? user->enforce_from : after->from, date) != 0) {
        apw_error_set(error, "the date lies outside the years 0 to 9999");
        return APW_MANAGE_INVALID;
    }
    changes = calloc(CHANGES_MAX + user->method.count, sizeof *changes);
    if (changes == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    count = plan(user, mfa, after, date, changes);
    if (request->start == NULL)
        request->switched_r->withdrawn = apw_invitation_plan_removal(user, changes + count);
    count += request->switched_r->withdrawn;
    if (count > 0)
        result = apw_update_apply(manager, user, changes, count, error);
    free(changes);
    return result;
}

static enum apw_manage_result set_mfa(const struct apw_manager *manager,
                                      const struct apw_user *user, void *context,
                                      struct apw_error *error)
{
    const struct request *request = context;
    int64_t now = (int64_t)time(NULL);
    enum apw_manage_result result, confirmed;
    struct apw_mfa_state after;
    enum apw_mfa mfa;

    if (apw_user_mfa(manager, user, &mfa, error) == APW_MANAGE_UNAVAILABLE)
        return APW_MANAGE_UNAVAILABLE;
    if (request->is_only_if_announced && mfa != APW_MFA_OFF &&
        (!user->is_enforce_from_readable || user->enforce_from <= now)) {
        apw_error_set(error, "MFA of %s is enforced, not announced", user->dn);
        return APW_MANAGE_REFUSED;
    }
    after = decide(user, is_undecided(manager, user, mfa) ? APW_MFA_OFF : mfa, request->start, now);
    *request->switched_r = (struct apw_mfa_switched){
        .before = state_of(user, mfa),
        .after = after,
        .has_app_password = apw_manage_has_working_password(user, now),
    };
    if (mfa == APW_MFA_UNREADABLE && manager->config->mfa_off_filter != NULL)
        mfa = APW_MFA_ON; /* off must be shown: write FALSE even if the flag is missing */
    result = write_state(manager, user, mfa, request, error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED)
        return result;
    confirmed = confirm(manager, user, result == APW_MANAGE_DONE, after.mfa, error);
    return confirmed == APW_MANAGE_DONE ? result : confirmed;
}

/* Turning MFA off also withdraws invitations, which would work again when it is on again. */
static enum apw_manage_result turn(const struct apw_manager *manager,
                                   const struct apw_target *target, struct request *request,
                                   struct apw_error *error)
{
    struct apw_manager reading = *manager;

    if (apw_mfa_switch_check(manager->config, error) != 0)
        return APW_MANAGE_CONFIGURATION;
    reading.with_enrolment = manager->with_enrolment || request->start == NULL;
    return apw_update_user(&reading, target, set_mfa, request, error);
}

enum apw_manage_result apw_mfa_switch_on(const struct apw_manager *manager,
                                         const struct apw_target *target,
                                         const struct apw_mfa_start *start,
                                         struct apw_mfa_switched *switched_r,
                                         struct apw_error *error)
{
    struct request request = {.start = start, .switched_r = switched_r};

    return turn(manager, target, &request, error);
}

enum apw_manage_result apw_mfa_switch_off(const struct apw_manager *manager,
                                          const struct apw_target *target,
                                          struct apw_mfa_switched *switched_r,
                                          struct apw_error *error)
{
    struct request request = {.switched_r = switched_r};

    return turn(manager, target, &request, error);
}

enum apw_manage_result apw_mfa_switch_take_back(const struct apw_manager *manager,
                                                const struct apw_target *target,
                                                struct apw_mfa_switched *switched_r,
                                                struct apw_error *error)
{
    struct request request = {.is_only_if_announced = true, .switched_r = switched_r};

    return turn(manager, target, &request, error);
}
