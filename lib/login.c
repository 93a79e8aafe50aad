/* SPDX-License-Identifier: BSD-2-Clause */
#include "login.h"
#include "utf8.h"
#include <stdint.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether there is only white space: ASCII's, or Unicode's (U+0085, U+00A0, U+1680, U+2000
 * to U+200B, U+2028, U+2029, U+202F, U+205F, U+3000, U+FEFF). */
static bool is_blank(const char *text, size_t length)
{
    while (length > 0) {
        uint32_t c;
        size_t bytes = apw_utf8_decode(text, length, &c);

        if (bytes == 0)
            return false;
        if (!(c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
              (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
              c == 0x205f || c == 0x3000 || c == 0xfeff))
            return false;
        text += bytes;
        length -= bytes;
    }
    return true;
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
    while (length > 0 && is_space(login[0])) {
        login++;
        length--;
    }
    while (length > 0 && is_space(login[length - 1]))
        length--;
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
