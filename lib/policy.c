/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy.h"

/* max_lifetime is at most 36500 days, and a record's `created` has a year of four digits. */
int64_t apw_policy_latest(const struct apw_config *config, int64_t now)
{
    return config->max_lifetime_s == 0 ? APW_POLICY_NEVER : now + config->max_lifetime_s;
}

int64_t apw_policy_default(const struct apw_config *config, int64_t now)
{
    return config->default_expires_s == 0 ? APW_POLICY_NEVER : now + config->default_expires_s;
}

int64_t apw_policy_end(const struct apw_config *config, const struct apw_record *record)
{
    int64_t latest = apw_policy_latest(config, record->created);

    return record->has_expires && record->expires < latest ? record->expires : latest;
}

bool apw_policy_cap(const struct apw_config *config, struct apw_record *record)
{
    int64_t end = apw_policy_end(config, record);

    if (end == APW_POLICY_NEVER || (record->has_expires && record->expires == end))
        return false;
    record->has_expires = true;
    record->expires = end;
    return true;
}

int apw_policy_check(const struct apw_config *config, struct apw_error *error)
{
    if (config->max_lifetime_s > 0 &&
        (config->default_expires_s == 0 || config->default_expires_s > config->max_lifetime_s))
        return apw_error_set(error, "default_expires is longer than max_lifetime; shorten it, or "
                                    "remove it to have max_lifetime as the default");
    if (config->revoke_unused_s == 0)
        return 0;
    if (config->record_use_s == 0)
        return apw_error_set(error, "revoke_unused needs record_use: with \"record_use never\" "
                                    "nobody knows when an app password was last used");
    if (config->revoke_unused_s < config->record_use_s + APW_POLICY_NOTICE_S)
        return apw_error_set(error,
                             "revoke_unused must be at least 14 days longer than record_use: "
                             "owners get a mail 14 days before");
    return 0;
}
