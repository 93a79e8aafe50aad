/* SPDX-License-Identifier: BSD-2-Clause */
#include "finding.h"
#include "guesses.h"
#include <string.h>

bool apw_finding_is_expired(const struct apw_managed_password *password, int64_t now)
{
    return password->has_record && password->record.has_expires && password->record.expires <= now;
}

bool apw_finding_is_expiring(const struct apw_managed_password *password, int64_t now,
                             int64_t period)
{
    return password->has_record && password->record.has_expires && password->record.expires > now &&
           password->record.expires <= now + period;
}

static bool has_unreadable_use(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->use_count; i++)
        if (user->use[i].at == INT64_MIN && strcmp(user->use[i].id, id) == 0)
            return true;
    return false;
}

bool apw_finding_is_unused(const struct apw_user *user, const struct apw_managed_password *password,
                           int64_t now, int64_t period)
{
    if (!password->is_usable || apw_finding_is_expired(password, now) ||
        password->record.created > now - period || has_unreadable_use(user, password->id))
        return false;
    return !password->has_use || password->use.at <= now - period;
}

bool apw_finding_is_guessed(const struct apw_user *user, int64_t now, struct apw_error *error)
{
    struct apw_guesses guesses;
    int64_t since = now / 86400 - APW_GUESSES_LINK_DAYS;

    return apw_guesses_read(user, &guesses, error) != 0 ||
           (guesses.count >= APW_GUESSES_TELL && guesses.day >= since) || guesses.told > since;
}

struct search_for_use {
    int64_t since;
    bool is_found;
};

static int look_for_use(void *context, const struct apw_user *user)
{
    struct search_for_use *search = context;

    for (size_t i = 0; i < user->use_count && !search->is_found; i++)
        search->is_found = user->use[i].at > search->since;
    return search->is_found ? -1 : 0;
}

enum apw_manage_result apw_finding_has_uses(const struct apw_manager *manager, int64_t now,
                                            int64_t period, bool *has_uses_r,
                                            struct apw_error *error)
{
    struct search_for_use search = {.since = now - period};
    enum apw_manage_result result =
        apw_user_each(manager, "(appPasswordUsed=*)", look_for_use, &search, error);

    *has_uses_r = search.is_found;
    return result;
}
