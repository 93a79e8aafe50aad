/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remind_settings: which mails app-password-portal --remind sends, from portal.conf.
 */
#ifndef APW_REMIND_SETTINGS_H
#define APW_REMIND_SETTINGS_H

#include "error.h"
#include <stdbool.h>

/* What the mails are about. */
enum apw_remind_topic {
    APW_REMIND_MFA = 0,  /* MFA that is announced */
    APW_REMIND_MADE,     /* app passwords that were not made on the page */
    APW_REMIND_EXPIRING, /* and that end soon */
    APW_REMIND_UNUSED,   /* and that nobody uses; also revokes them: revoke_unused */
    APW_REMIND_YEARLY,   /* all that one has */
#define APW_REMIND_TOPIC_COUNT (APW_REMIND_YEARLY + 1)
};

struct apw_remind_settings {
    bool has[APW_REMIND_TOPIC_COUNT];
    unsigned rate; /* mails a minute */
};

/* The defaults: no topic. */
void apw_remind_settings_begin(struct apw_remind_settings *settings_r);

/* A list of topics, "all" or "off". */
int apw_remind_settings_set_topics(struct apw_remind_settings *settings, const char *value,
                                   struct apw_error *error);
int apw_remind_settings_set_rate(struct apw_remind_settings *settings, const char *value,
                                 struct apw_error *error);

bool apw_remind_settings_is_on(const struct apw_remind_settings *settings);

#endif
