/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy_settings.h"
#include "secret.h"
#include "settings.h"
#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 32
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"

int apw_proxy_settings_set_header(struct apw_proxy_settings *proxy, const char *value,
                                  struct apw_error *error)
{
    if (value[strspn(value, LETTERS DIGITS "-")] != '\0')
        return apw_error_set(error, "\"%s\" is not the name of a header like X-Remote-User", value);
    return apw_settings_copy(value, &proxy->user_header, error);
}

/* It goes into a header, and must be hard to guess. */
int apw_proxy_settings_set_secret_file(struct apw_proxy_settings *proxy, const char *value,
                                       struct apw_error *error)
{
    size_t length;

    apw_secret_free(&proxy->secret);
    if (apw_settings_check_absolute(value, error) != 0 ||
        apw_secret_read(value, &proxy->secret, error) != 0)
        return -1;
    length = strlen(proxy->secret);
    if (length >= SECRET_MIN && strspn(proxy->secret, LETTERS DIGITS "-._~+/=") == length)
        return 0;
    return apw_error_set(error,
                         "%s: not %d or more letters and digits; make it with \"openssl rand -hex "
                         "32\"",
                         value, SECRET_MIN);
}

int apw_proxy_settings_check(const struct apw_proxy_settings *proxy, bool is_on_socket,
                             const char *path, struct apw_error *error)
{
    bool has_header = proxy->user_header != NULL;

    if (has_header && !is_on_socket)
        return apw_error_set(error,
                             "%s: trusted_user_header needs \"listen unix:/run/…\": on a port, "
                             "any local user could claim to be anybody",
                             path);
    if (has_header && proxy->secret == NULL)
        return apw_error_set(error,
                             "%s: trusted_user_header needs trusted_user_secret_file: whatever "
                             "runs as the proxy's user could claim to be anybody; "
                             "app-password-portal(8) says how to create it",
                             path);
    if (!has_header && proxy->secret != NULL)
        return apw_error_set(error,
                             "%s: trusted_user_secret_file is of no use without "
                             "trusted_user_header",
                             path);
    return 0;
}

void apw_proxy_settings_free(struct apw_proxy_settings *proxy)
{
    free(proxy->user_header);
    apw_secret_free(&proxy->secret);
}
