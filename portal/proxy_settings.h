/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_settings: what portal.conf says of a proxy that names the users.
 */
#ifndef APW_PROXY_SETTINGS_H
#define APW_PROXY_SETTINGS_H

#include "error.h"
#include <stdbool.h>

struct apw_proxy_settings {
    char *user_header; /* NULL: people sign in here */
    char *secret;      /* required with it; the proxy sends it. Secret. */
};

/* trusted_user_header, trusted_user_secret_file. */
int apw_proxy_settings_set_header(struct apw_proxy_settings *proxy, const char *value,
                                  struct apw_error *error);
int apw_proxy_settings_set_secret_file(struct apw_proxy_settings *proxy, const char *value,
                                       struct apw_error *error);

/* Fails if anybody but the proxy could name users; `path` is the file to name. */
int apw_proxy_settings_check(const struct apw_proxy_settings *proxy, bool is_on_socket,
                             const char *path, struct apw_error *error);
void apw_proxy_settings_free(struct apw_proxy_settings *proxy);

#endif
