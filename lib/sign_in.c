/* SPDX-License-Identifier: BSD-2-Clause */
#include "sign_in.h"
#include <stdio.h>
#include <string.h>

void apw_sign_in_format(const struct apw_event *event, char text_r[APW_SIGN_IN_SIZE])
{
    bool is_app_password = event->reason == APW_REASON_APP_PASSWORD;
    size_t length =
        (size_t)snprintf(text_r, APW_SIGN_IN_SIZE,
                         "%s:", is_app_password ? event->id : APW_SIGN_IN_ACCOUNT_PASSWORD);

    for (const char *byte = event->name; *byte != '\0'; byte++)
        length += (size_t)snprintf(text_r + length, APW_SIGN_IN_SIZE - length,
                                   strchr("*?=", *byte) == NULL ? "%c" : "=%02X", *byte);
}
