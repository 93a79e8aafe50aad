/* SPDX-License-Identifier: BSD-2-Clause */
#include "finding.h"
#include "factor_kinds.h"
#include "guesses.h"
#include "ldap/filter.h"
#include "progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool apw_finding_is_expired(const struct apw_managed_password *password, int64_t now)
{
    return password->end <= now;
}

bool apw_finding_is_expiring(const struct apw_managed_password *password, int64_t now,
                             int64_t period)
{
    return password->end > now && password->end <= now + period;
}

bool apw_finding_exceeds(const struct apw_managed_password *password, int64_t now, int64_t period,
                         int64_t *end_r)
{
    *end_r = password->record.created + period;
    return password->is_usable && password->end > now && *end_r < password->end;
}

bool apw_finding_is_guessed(const struct apw_user *user, int64_t now, struct apw_error *error)
{
    struct apw_guesses guesses;
    int64_t since = now / 86400 - APW_GUESSES_LINK_DAYS;

    return apw_guesses_read(user, &guesses, error) != 0 ||
           (guesses.count >= APW_GUESSES_TELL && guesses.day >= since) || guesses.told > since;
}

bool apw_finding_is_single(const struct apw_user *user)
{
    char kinds[APW_FACTOR_KINDS_SIZE];

    return apw_factor_kinds(user, kinds) == 1;
}

/* Passes on the users for whom MFA is on. */
struct mfa_sieve {
    const struct apw_manager *manager;
    apw_user_callback callback;
    void *context;
    enum apw_manage_result result;
    struct apw_error error;
};

static int pass_with_mfa(void *context, const struct apw_user *user)
{
    struct mfa_sieve *sieve = context;
    enum apw_mfa mfa;

    sieve->result = apw_user_mfa(sieve->manager, user, &mfa, &sieve->error);
    if (sieve->result == APW_MANAGE_NOT_PERMITTED) /* nor shown to be off */
        sieve->result = APW_MANAGE_DONE;
    if (sieve->result != APW_MANAGE_DONE)
        return -1;
    if (mfa != APW_MFA_OFF)
        return sieve->callback(sieve->context, user);
    apw_progress_step();
    return 0;
}

/* Asks the store about each user of the users' directory. */
static enum apw_manage_result each_with_mfa_in_store(const struct apw_manager *manager,
                                                     const char *filter, apw_user_callback callback,
                                                     void *context, struct apw_error *error)
{
    struct mfa_sieve sieve = {
        .manager = manager, .callback = callback, .context = context, .result = APW_MANAGE_DONE};
    enum apw_manage_result result = apw_user_each(manager, filter, pass_with_mfa, &sieve, error);

    if (sieve.result != APW_MANAGE_DONE)
        *error = sieve.error;
    return result == APW_MANAGE_DONE ? sieve.result : result;
}

enum apw_manage_result apw_finding_each_with_mfa(const struct apw_manager *manager,
                                                 const char *filter, apw_user_callback callback,
                                                 void *context, struct apw_error *error)
{
    const struct apw_config *config = manager->config;
    char *users = config->store.has_mfa ? apw_filter_expand_any(config->filter) : NULL;
    const char *mfa = config->store.has_mfa ? users : config->mfa_filter;
    char *both = NULL;
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;

    apw_progress_begin(config->store.has_mfa ? "users" : "users with MFA", 0);
    if (mfa == NULL || asprintf(&both, "(&%s%s)", mfa, filter == NULL ? "" : filter) < 0) {
        apw_error_set(error, "out of memory");
        both = NULL;
    } else if (config->store.has_mfa) {
        result = each_with_mfa_in_store(manager, both, callback, context, error);
    } else {
        result = apw_user_each(manager, both, callback, context, error);
    }
    free(users);
    free(both);
    return result;
}
