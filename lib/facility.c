/* SPDX-License-Identifier: BSD-2-Clause */
#include "facility.h"
#include <stddef.h>
#include <string.h>
#include <syslog.h>

int apw_facility_parse(const char *value)
{
    static const struct {
        const char *name;
        int facility;
    } facilities[] = {
        {"mail", LOG_MAIL},     {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV},
        {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"local0", LOG_LOCAL0},
        {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
        {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
        {"local7", LOG_LOCAL7},
    };
    size_t length = strcspn(value, " \t");
    const char *name = value + length + strspn(value + length, " \t");

    if (length == 6 && strncmp(value, "syslog", 6) == 0)
        for (size_t i = 0; i < sizeof facilities / sizeof facilities[0]; i++)
            if (strcmp(name, facilities[i].name) == 0)
                return facilities[i].facility;
    return -1;
}
