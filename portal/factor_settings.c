/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_settings.h"
#include "clock.h"
#include <string.h>

#define SEPARATORS        " \t,"
#define DAY_S             86400
#define REMEMBER_DAYS_MAX 366

void apw_factor_settings_begin(struct apw_factor_settings *settings_r)
{
    *settings_r = (struct apw_factor_settings){.remember_browser_s = 0};
    for (int i = 0; i < APW_METHOD_KIND_COUNT; i++)
        settings_r->allows[i] = true;
}

int apw_factor_settings_set_kinds(struct apw_factor_settings *settings, const char *value,
                                  struct apw_error *error)
{
    bool is_any = false;

    memset(settings->allows, 0, sizeof settings->allows);
    while (value += strspn(value, SEPARATORS), *value != '\0') {
        size_t length = strcspn(value, SEPARATORS);
        enum apw_method_kind kind;

        if (apw_method_kind_read(value, length, &kind) != 0 || settings->allows[kind])
            return apw_error_set(
                error, "\"%.*s\" is repeated, or is none of passkey, totp, mail and recovery",
                (int)length, value);
        settings->allows[kind] = true;
        is_any = is_any || kind != APW_METHOD_RECOVERY; /* which is for those who lost another */
        value += length;
    }
    return is_any ? 0 : apw_error_set(error, "name at least one of passkey, totp and mail");
}

int apw_factor_settings_set_remember(struct apw_factor_settings *settings, const char *value,
                                     struct apw_error *error)
{
    if (strcmp(value, "no") == 0)
        return 0;
    return apw_clock_parse_duration(value, false, &settings->remember_browser_s) == 0 &&
                   settings->remember_browser_s >= DAY_S &&
                   settings->remember_browser_s <= REMEMBER_DAYS_MAX * DAY_S
               ? 0
               : apw_error_set(error, "\"%s\" is neither no nor a period of 1d to %dd", value,
                               REMEMBER_DAYS_MAX);
}

/* Passkeys are bound to the host's name. An address has none. */
int apw_factor_settings_complete(struct apw_factor_settings *settings, const char *url,
                                 const char *host, const char *path, struct apw_error *error)
{
    bool *allows = settings->allows;

    if (apw_origin_read(url, host, &settings->origin, error) != 0)
        return -1;
    if (settings->origin.host == NULL)
        allows[APW_METHOD_PASSKEY] = false;
    return allows[APW_METHOD_PASSKEY] || allows[APW_METHOD_APP] || allows[APW_METHOD_MAIL]
               ? 0
               : apw_error_set(error, "%s: passkeys need a name as the host of public_url", path);
}

void apw_factor_settings_free(struct apw_factor_settings *settings)
{
    apw_origin_free(&settings->origin);
}
