/* SPDX-License-Identifier: BSD-2-Clause */
#include "login.h"
#include "ignorable.h"
#include "utf8.h"
#include <string.h>

static bool is_blank(const char *text, size_t length)
{
    apw_ignorable_trim(&text, &length);
    return length == 0;
}

bool apw_login_is_wellformed(const char *login, size_t length)
{
    return length > 0 && length <= APW_LOGIN_BYTES_MAX && !is_blank(login, length) &&
           apw_utf8_is_printable(login, length);
}

int apw_login_canonicalize(const char *login, size_t length, const char *realm,
                           char login_r[APW_LOGIN_SIZE])
{
    size_t realm_length = realm == NULL ? 0 : strlen(realm), total;

    login_r[0] = '\0';
    apw_ignorable_trim(&login, &length);
    if (length > 0 && memchr(login, '@', length) != NULL)
        realm_length = 0;
    total = length + (realm_length > 0 ? 1 + realm_length : 0);
    if (!apw_login_is_wellformed(login, length) || total > APW_LOGIN_BYTES_MAX)
        return -1;
    memcpy(login_r, login, length);
    if (realm_length > 0) {
        login_r[length] = '@';
        memcpy(login_r + length + 1, realm, realm_length);
    }
    login_r[total] = '\0';
    return apw_login_is_wellformed(login_r, total) ? 0 : (login_r[0] = '\0', -1);
}
