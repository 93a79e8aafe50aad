/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_settings: what portal.conf says of second factors.
 */
#ifndef APW_FACTOR_SETTINGS_H
#define APW_FACTOR_SETTINGS_H

#include "error.h"
#include "method.h"
#include "origin.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_factor_settings {
    bool allows[APW_METHOD_KIND_COUNT]; /* second_factors */
    int64_t remember_browser_s;         /* 0: no browser is remembered */
    struct apw_origin origin;           /* of public_url, for passkeys */
};

/* The defaults. */
void apw_factor_settings_begin(struct apw_factor_settings *settings_r);

/* second_factors, remember_browser. */
int apw_factor_settings_set_kinds(struct apw_factor_settings *settings, const char *value,
                                  struct apw_error *error);
int apw_factor_settings_set_remember(struct apw_factor_settings *settings, const char *value,
                                     struct apw_error *error);

/* With public_url and its host; `path` is the file to name. */
int apw_factor_settings_complete(struct apw_factor_settings *settings, const char *url,
                                 const char *host, const char *path, struct apw_error *error);
void apw_factor_settings_free(struct apw_factor_settings *settings);

#endif
