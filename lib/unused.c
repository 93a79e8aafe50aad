/* SPDX-License-Identifier: BSD-2-Clause */
#include "unused.h"
#include "policy.h"
#include <string.h>

static bool has_unreadable_use(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->use_count; i++)
        if (user->use[i].at == INT64_MIN && strcmp(user->use[i].id, id) == 0)
            return true;
    return false;
}

int64_t apw_unused_since(const struct apw_user *user, const struct apw_managed_password *password,
                         int64_t now)
{
    if (!password->is_usable || password->is_outdated || password->end <= now ||
        has_unreadable_use(user, password->id))
        return APW_POLICY_NEVER;
    return password->has_use && password->use.at > password->record.created
               ? password->use.at
               : password->record.created;
}

bool apw_unused_is(const struct apw_user *user, const struct apw_managed_password *password,
                   int64_t now, int64_t period)
{
    return apw_unused_since(user, password, now) <= now - period;
}

int64_t apw_unused_end(const struct apw_config *config, const struct apw_user *user,
                       const struct apw_managed_password *password, int64_t now)
{
    int64_t since = apw_unused_since(user, password, now);

    return config->revoke_unused_s == 0 || since == APW_POLICY_NEVER
               ? APW_POLICY_NEVER
               : since + config->revoke_unused_s;
}

struct search {
    int64_t since;
    bool is_found;
};

static int look_for_use(void *context, const struct apw_user *user)
{
    struct search *search = context;

    for (size_t i = 0; i < user->use_count && !search->is_found; i++)
        search->is_found = user->use[i].at > search->since;
    return search->is_found ? -1 : 0;
}

enum apw_manage_result apw_unused_has_uses(const struct apw_manager *manager, int64_t now,
                                           int64_t period, bool *has_uses_r,
                                           struct apw_error *error)
{
    struct search search = {.since = now - period};
    enum apw_manage_result result =
        apw_user_each_holder(manager, "(appPasswordUsed=*)", look_for_use, &search, error);

    *has_uses_r = search.is_found;
    return result;
}
