/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpdesk_settings.h"
#include "clock.h"
#include "ldap/filter.h"
#include "ldap/schema.h"
#include "settings.h"
#include <stdlib.h>
#include <string.h>

#define SEPARATORS " \t,"
#define MFA_OFF    "mfa-off"

#define RESET_DELAY_DEFAULT_S (24 * 3600)
#define RESET_DELAY_MAX_S     (30 * 86400)

void apw_helpdesk_settings_begin(struct apw_helpdesk_settings *settings_r)
{
    *settings_r = (struct apw_helpdesk_settings){.reset_delay_s = RESET_DELAY_DEFAULT_S};
}

static int set_filter(const char *value, char **filter_r, struct apw_error *error)
{
    return apw_filter_check(value, false, error) == 0 ? apw_settings_copy(value, filter_r, error)
                                                      : -1;
}

int apw_helpdesk_settings_set_staff(struct apw_helpdesk_settings *settings, const char *value,
                                    struct apw_error *error)
{
    return set_filter(value, &settings->staff, error);
}

int apw_helpdesk_settings_set_users(struct apw_helpdesk_settings *settings, const char *value,
                                    struct apw_error *error)
{
    return set_filter(value, &settings->users, error);
}

int apw_helpdesk_settings_set_base(struct apw_helpdesk_settings *settings, const char *value,
                                   struct apw_error *error)
{
    if (!apw_schema_is_dn(value))
        return apw_error_set(error, "\"%s\" is not a DN like ou=people,dc=example,dc=org", value);
    return apw_settings_copy(value, &settings->base, error);
}

int apw_helpdesk_settings_set_may(struct apw_helpdesk_settings *settings, const char *value,
                                  struct apw_error *error)
{
    while (value += strspn(value, SEPARATORS), *value != '\0') {
        size_t length = strcspn(value, SEPARATORS);

        if (length != strlen(MFA_OFF) || memcmp(value, MFA_OFF, length) != 0)
            return apw_error_set(error, "\"%.*s\" is not " MFA_OFF, (int)length, value);
        if (settings->may_turn_mfa_off)
            return apw_error_set(error, MFA_OFF " is repeated");
        settings->may_turn_mfa_off = true;
        value += length;
    }
    return 0;
}

int apw_helpdesk_settings_set_reset_delay(struct apw_helpdesk_settings *settings, const char *value,
                                          struct apw_error *error)
{
    settings->has_reset_delay = true;
    return apw_clock_parse_duration(value, strcmp(value, "0") == 0, &settings->reset_delay_s) ==
                       0 &&
                   settings->reset_delay_s <= RESET_DELAY_MAX_S
               ? 0
               : apw_error_set(error, "\"%s\" is not a period of 0 to 30d, such as 24h", value);
}

int apw_helpdesk_settings_check(const struct apw_helpdesk_settings *settings,
                                bool has_single_sign_on, const char *path, struct apw_error *error)
{
    const char *useless = settings->users != NULL      ? "helpdesk_users"
                          : settings->base != NULL     ? "helpdesk_base"
                          : settings->may_turn_mfa_off ? "helpdesk_may"
                          : settings->has_reset_delay  ? "helpdesk_reset_delay"
                                                       : NULL;

    if (settings->staff == NULL)
        return useless == NULL ? 0
                               : apw_error_set(error, "%s: %s is of no use without helpdesk_filter",
                                               path, useless);
    if (settings->users == NULL)
        return apw_error_set(error,
                             "%s: helpdesk_filter needs helpdesk_users, a filter that matches "
                             "those whom the help desk may help and no administrator, for example "
                             "\"helpdesk_users (memberOf=cn=staff,ou=groups,dc=example,dc=org)\"",
                             path);
    if (has_single_sign_on)
        return apw_error_set(error,
                             "%s: helpdesk_filter and trusted_user_header exclude each other: "
                             "behind single sign-on this page does not ask for a second step, "
                             "which help desk people need",
                             path);
    return 0;
}

void apw_helpdesk_settings_free(struct apw_helpdesk_settings *settings)
{
    free(settings->staff);
    free(settings->users);
    free(settings->base);
}
