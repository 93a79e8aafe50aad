/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpdesk_settings: what portal.conf says of a help desk.
 */
#ifndef APW_HELPDESK_SETTINGS_H
#define APW_HELPDESK_SETTINGS_H

#include "error.h"
#include <stdbool.h>
#include <stdint.h>

struct apw_helpdesk_settings {
    char *staff; /* filter that matches the entries of help desk people; NULL: no help desk */
    char *users; /* filter: whom they may help; set if `staff` is */
    char *base;  /* DN above everybody whom they may help; NULL: the configuration's base */
    bool may_turn_mfa_off;
    bool has_reset_delay;  /* the file sets it */
    int64_t reset_delay_s; /* how long a reset of second factors waits */
};

/* Sets the defaults. */
void apw_helpdesk_settings_begin(struct apw_helpdesk_settings *settings_r);

/* helpdesk_filter, helpdesk_users, helpdesk_base, helpdesk_may, helpdesk_reset_delay. */
int apw_helpdesk_settings_set_staff(struct apw_helpdesk_settings *settings, const char *value,
                                    struct apw_error *error);
int apw_helpdesk_settings_set_users(struct apw_helpdesk_settings *settings, const char *value,
                                    struct apw_error *error);
int apw_helpdesk_settings_set_base(struct apw_helpdesk_settings *settings, const char *value,
                                   struct apw_error *error);
int apw_helpdesk_settings_set_may(struct apw_helpdesk_settings *settings, const char *value,
                                  struct apw_error *error);
int apw_helpdesk_settings_set_reset_delay(struct apw_helpdesk_settings *settings, const char *value,
                                          struct apw_error *error);

/* Fails if one key needs another, or if the page could not tell who has passed a second step.
 * `path` is the file to name. */
int apw_helpdesk_settings_check(const struct apw_helpdesk_settings *settings,
                                bool has_single_sign_on, const char *path, struct apw_error *error);
void apw_helpdesk_settings_free(struct apw_helpdesk_settings *settings);

#endif
