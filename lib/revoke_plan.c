/* SPDX-License-Identifier: BSD-2-Clause */
#include "revoke_plan.h"
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTE     "appPassword"
#define DAY_S         86400
#define OTHER_CHANGES 5 /* deleting all of them, and the caller's four */

/* Room for every change and text that this user may need. */
static int begin(const struct apw_user *user, struct apw_revoke_plan *plan_r,
                 struct apw_error *error)
{
    size_t values = user->password_count, stones = user->tombstone_count;

    memset(plan_r, 0, sizeof *plan_r);
    plan_r->change =
        calloc(2 * values + stones + user->method.count + OTHER_CHANGES, sizeof *plan_r->change);
    plan_r->text = calloc(values + stones + 1, sizeof *plan_r->text);
    if (plan_r->change != NULL && plan_r->text != NULL)
        return 0;
    apw_revoke_plan_clear(plan_r);
    return apw_error_set(error, "out of memory");
}

static void add(struct apw_revoke_plan *plan, enum apw_change_kind kind, const char *value)
{
    plan->change[plan->count++] = (struct apw_change){kind, ATTRIBUTE, value};
}

static int add_tombstone(struct apw_revoke_plan *plan, enum apw_change_kind kind,
                         const struct apw_tombstone *tombstone, struct apw_error *error)
{
    char *text = plan->text[plan->text_count];

    if (apw_tombstone_format(tombstone, text, error) != 0)
        return -1;
    plan->text_count++;
    add(plan, kind, text);
    return 0;
}

/* Whether the tombstone stays if there are `others` newer ones. They are sorted, the newest first.
 */
static bool is_kept(const struct apw_tombstone *tombstone, size_t others, int64_t now)
{
    return others < APW_REVOKE_PLAN_KEPT ||
           (others < APW_REVOKE_PLAN_KEPT_AT_ALL &&
            tombstone->revoked > now - (int64_t)APW_REVOKE_PLAN_KEPT_DAYS * DAY_S);
}

/* Whether the id has a tombstone, or gets one from another value. */
static bool has_tombstone(const struct apw_user *user, size_t number)
{
    const struct apw_managed_password *password = &user->password[number];

    for (size_t i = 0; i < user->tombstone_count; i++)
        if (strcmp(user->tombstone[i].id, password->id) == 0)
            return true;
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *other = &user->password[i];
        bool is_better = other->has_record != password->has_record ? other->has_record : i < number;

        if (i != number && is_better && strcmp(other->id, password->id) == 0)
            return true;
    }
    return false;
}

static int bury(const struct apw_user *user, size_t number, int64_t now,
                struct apw_revoke_plan *plan, struct apw_error *error)
{
    const struct apw_managed_password *password = &user->password[number];
    struct apw_tombstone tombstone = {.created = now, .revoked = now, .label = "(unreadable)"};

    plan->revoked++;
    if (password->id[0] == '\0' || has_tombstone(user, number))
        return 0;
    memcpy(tombstone.id, password->id, sizeof tombstone.id);
    if (password->has_record) {
        tombstone.created = password->record.created;
        memcpy(tombstone.label, password->record.label, sizeof tombstone.label);
    }
    return add_tombstone(plan, APW_CHANGE_ADD, &tombstone, error);
}

/* Removes old tombstones, counting the new ones. */
static int prune(const struct apw_user *user, int64_t now, struct apw_revoke_plan *plan,
                 struct apw_error *error)
{
    size_t added = plan->text_count;

    for (size_t i = 0; i < user->tombstone_count; i++)
        if (!is_kept(&user->tombstone[i], added + i, now) &&
            add_tombstone(plan, APW_CHANGE_DELETE, &user->tombstone[i], error) != 0)
            return -1;
    return 0;
}

static int plan_one(const struct apw_user *user, const char *id, int64_t now,
                    struct apw_revoke_plan *plan, struct apw_error *error)
{
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (strcmp(password->id, id) != 0)
            continue;
        if (strlen(password->value) != password->length)
            return apw_error_set(error,
                                 "a value with the id %s contains a NUL byte; only revoking all of "
                                 "them removes it",
                                 id);
        add(plan, APW_CHANGE_DELETE, password->value);
        if (bury(user, i, now, plan, error) != 0)
            return -1;
    }
    return prune(user, now, plan, error);
}

static int plan_all(const struct apw_user *user, int64_t now, struct apw_revoke_plan *plan,
                    struct apw_error *error)
{
    size_t added;

    add(plan, APW_CHANGE_DELETE, NULL);
    for (size_t i = 0; i < user->password_count; i++)
        if (bury(user, i, now, plan, error) != 0)
            return -1;
    added = plan->text_count;
    for (size_t i = 0; i < user->tombstone_count; i++)
        if (is_kept(&user->tombstone[i], added + i, now) &&
            add_tombstone(plan, APW_CHANGE_ADD, &user->tombstone[i], error) != 0)
            return -1;
    return 0;
}

/* All or nothing. */
static enum apw_manage_result end(struct apw_revoke_plan *plan, int status)
{
    if (status == 0)
        return APW_MANAGE_DONE;
    apw_revoke_plan_clear(plan);
    return APW_MANAGE_REFUSED;
}

enum apw_manage_result apw_revoke_plan_one(const struct apw_user *user, const char *id, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error)
{
    if (begin(user, plan_r, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    return end(plan_r, plan_one(user, id, now, plan_r, error));
}

enum apw_manage_result apw_revoke_plan_all(const struct apw_user *user, int64_t now,
                                           struct apw_revoke_plan *plan_r, struct apw_error *error)
{
    if (begin(user, plan_r, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    return end(plan_r, plan_all(user, now, plan_r, error));
}

enum apw_manage_result apw_revoke_plan_prune(const struct apw_user *user, int64_t now,
                                             struct apw_revoke_plan *plan_r,
                                             struct apw_error *error)
{
    if (begin(user, plan_r, error) != 0)
        return APW_MANAGE_UNAVAILABLE;
    return end(plan_r, prune(user, now, plan_r, error));
}

void apw_revoke_plan_clear(struct apw_revoke_plan *plan)
{
    free(plan->change);
    free(plan->text);
    memset(plan, 0, sizeof *plan);
}
