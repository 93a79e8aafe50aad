/* SPDX-License-Identifier: BSD-2-Clause */
#include "password_change.h"
#include "clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILETIME_1970  INT64_C(11644473600)
#define FILETIME_PER_S INT64_C(10000000)
#define DIGITS         "0123456789"

/* draft-behera-ldap-password-policy, 389 Directory Server (passwordTrackUpdateTime), MIT Kerberos
 * and FreeIPA, Active Directory (MS-ADA3, 2.176). */
#define FILETIME "pwdLastSet"
const char *const apw_password_change_attributes[APW_PASSWORD_CHANGE_ATTRIBUTES] = {
    "pwdChangedTime", "pwdUpdateTime", "krbLastPwdChange", FILETIME};

/* 0: the user must change it at the next sign-in. */
static int read_filetime(const struct apw_value *value, int64_t *seconds_r)
{
    long long ticks;

    if (value->length == 0 || strspn(value->bytes, DIGITS) != value->length)
        return -1;
    errno = 0;
    ticks = strtoll(value->bytes, NULL, 10);
    if (errno != 0)
        return -1;
    *seconds_r = ticks == 0 ? INT64_MAX : ticks / FILETIME_PER_S - FILETIME_1970;
    return 0;
}

static int read_value(const char *name, const struct apw_value *value, int64_t *seconds_r)
{
    return strcmp(name, FILETIME) == 0
               ? read_filetime(value, seconds_r)
               : apw_clock_parse_generalized_time(value->bytes, value->length, seconds_r);
}

int apw_password_change_read(const struct apw_entry *entry, int64_t *changed_r,
                             struct apw_error *error)
{
    *changed_r = INT64_MIN;
    for (size_t i = 0; i < APW_PASSWORD_CHANGE_ATTRIBUTES; i++) {
        const char *name = apw_password_change_attributes[i];
        const struct apw_attribute *attribute = apw_entry_attribute(entry, name);

        for (size_t j = 0; attribute != NULL && j < attribute->count; j++) {
            int64_t changed;

            if (read_value(name, &attribute->value[j], &changed) != 0)
                return apw_error_set(error, "%s is invalid", name);
            if (changed > *changed_r)
                *changed_r = changed;
        }
    }
    if (*changed_r != INT64_MIN)
        return 0;
    return apw_error_set(error, "revoke_on_password_change: neither pwdChangedTime, pwdUpdateTime, "
                                "krbLastPwdChange nor pwdLastSet can be read");
}
