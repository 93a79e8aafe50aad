/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_words.h"
#include "say.h"
#include <inttypes.h>
#include <stdio.h>

#define DAY_S       86400
#define PERIOD_SIZE 32

static const char *period(int64_t seconds, char text_r[PERIOD_SIZE])
{
    if (seconds % DAY_S == 0)
        snprintf(text_r, PERIOD_SIZE, "%" PRId64 " day%s", seconds / DAY_S,
                 seconds == DAY_S ? "" : "s");
    else
        snprintf(text_r, PERIOD_SIZE, "%" PRId64 " seconds", seconds);
    return text_r;
}

void apw_policy_words_say(const struct apw_config *config)
{
    char text[PERIOD_SIZE];

    if (config->max_lifetime_s > 0)
        apw_say(NULL, "app passwords end at most %s after their creation (max_lifetime)",
                period(config->max_lifetime_s, text));
    if (config->default_expires_s > 0 && config->default_expires_s != config->max_lifetime_s)
        apw_say(NULL, "new app passwords end after %s, unless asked otherwise (default_expires)",
                period(config->default_expires_s, text));
    if (config->revoke_unused_s > 0)
        apw_say(NULL, "app passwords that are not used for %s are revoked (revoke_unused)",
                period(config->revoke_unused_s, text));
}
