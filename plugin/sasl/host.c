/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

const char *apw_host_option(const sasl_utils_t *utils, const char *name)
{
    const char *value = NULL;

    if (utils->getopt(utils->getopt_context, NULL, name, &value, NULL) != SASL_OK)
        return NULL;
    return value;
}

void apw_host_log(const sasl_utils_t *utils, int level, const char *text)
{
    utils->log(utils->conn, level, "app-password: %s", text);
}
