/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_keys: what each key of app-password.conf and admin.conf sets in a struct apw_config.
 */
#ifndef APW_CONFIG_KEYS_H
#define APW_CONFIG_KEYS_H

#include "config.h"
#include "settings.h"
#include <stdbool.h>

extern const struct apw_key_table apw_config_login_keys;
extern const struct apw_key_table apw_config_admin_keys;

/* Whether it is bind, binddn or bindpw_file. */
bool apw_config_is_identity_key(const struct apw_key *key);

/* The setter of `log`, whose target is a struct apw_config. */
int apw_config_set_log(void *target, const char *value, struct apw_error *error);

#endif
