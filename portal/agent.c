/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct sign {
    const char *word; /* in the header */
    const char *name;
};

/* The first that fits: each of these also claims to be some of those below. */
static const struct sign browsers[] = {
    {"Edg", "Edge"},       {"OPR/", "Opera"},       {"SamsungBrowser/", "Samsung Internet"},
    {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"},
    {"Chrome/", "Chrome"}, {"Safari/", "Safari"}};
static const struct sign systems[] = {
    {"iPhone", "iPhone"}, {"iPad", "iPad"},    {"Android", "Android"}, {"Windows", "Windows"},
    {"CrOS", "ChromeOS"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"}};

static const char *find(const struct sign *signs, size_t count, const char *header)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(header, signs[i].word) != NULL)
            return signs[i].name;
    return "";
}

const char *apw_agent_system(const char *header)
{
    return find(systems, sizeof systems / sizeof systems[0], header);
}

void apw_agent_name(const char *header, char name_r[APW_AGENT_NAME_SIZE])
{
    const char *browser = find(browsers, sizeof browsers / sizeof browsers[0], header);
    const char *system = apw_agent_system(header);

    snprintf(name_r, APW_AGENT_NAME_SIZE, "%s%s%s", browser,
             browser[0] != '\0' && system[0] != '\0' ? " – " : "", system);
    if (name_r[0] == '\0')
        strcpy(name_r, "?");
}
