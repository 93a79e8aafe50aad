/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_settings.h"
#include "settings.h"
#include <string.h>

#define SEPARATORS   " \t,"
#define RATE_DEFAULT 60
#define RATE_MAX     6000

static const char *const names[APW_REMIND_TOPIC_COUNT] = {
    [APW_REMIND_MFA] = "mfa",           [APW_REMIND_MADE] = "made",
    [APW_REMIND_EXPIRING] = "expiring", [APW_REMIND_UNUSED] = "unused",
    [APW_REMIND_YEARLY] = "yearly",
};

void apw_remind_settings_begin(struct apw_remind_settings *settings_r)
{
    *settings_r = (struct apw_remind_settings){.rate = RATE_DEFAULT};
}

static int add_topic(struct apw_remind_settings *settings, const char *name, size_t length,
                     struct apw_error *error)
{
    for (int topic = 0; topic < APW_REMIND_TOPIC_COUNT; topic++) {
        if (strlen(names[topic]) != length || memcmp(names[topic], name, length) != 0)
            continue;
        if (settings->has[topic])
            return apw_error_set(error, "%s is repeated", names[topic]);
        settings->has[topic] = true;
        return 0;
    }
    return apw_error_set(error,
                         "\"%.*s\" is not one of mfa, made, expiring, unused and yearly; or give "
                         "all or off alone",
                         (int)length, name);
}

int apw_remind_settings_set_topics(struct apw_remind_settings *settings, const char *value,
                                   struct apw_error *error)
{
    if (strcmp(value, "off") == 0)
        return 0;
    if (strcmp(value, "all") == 0) {
        for (int topic = 0; topic < APW_REMIND_TOPIC_COUNT; topic++)
            settings->has[topic] = true;
        return 0;
    }
    while (value += strspn(value, SEPARATORS), *value != '\0') {
        size_t length = strcspn(value, SEPARATORS);

        if (add_topic(settings, value, length, error) != 0)
            return -1;
        value += length;
    }
    return apw_remind_settings_is_on(settings)
               ? 0
               : apw_error_set(error, "no topic is named; give off to send nothing");
}

int apw_remind_settings_set_rate(struct apw_remind_settings *settings, const char *value,
                                 struct apw_error *error)
{
    return apw_settings_count(value, RATE_MAX, "mails a minute", &settings->rate, error);
}

bool apw_remind_settings_is_on(const struct apw_remind_settings *settings)
{
    for (int topic = 0; topic < APW_REMIND_TOPIC_COUNT; topic++)
        if (settings->has[topic])
            return true;
    return false;
}
