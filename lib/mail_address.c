/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail_address.h"
#include <string.h>

bool apw_mail_address_is_valid(const char *address)
{
    static const char forbidden[] = "\"(),:;<>[\\]%!|&";
    const char *at = strchr(address, '@');
    size_t length = strlen(address);

    if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        length >= APW_MAIL_ADDRESS_SIZE || address[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (address[i] <= ' ' || address[i] > '~' || strchr(forbidden, address[i]) != NULL)
            return false;
    return strchr(at, '.') != NULL && at[1] != '.' && at[1] != '-' && address[length - 1] != '.';
}
