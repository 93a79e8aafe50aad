/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"
#include <string.h>

int apw_message_parse_plain(const char *bytes, size_t length, struct apw_attempt *attempt,
                            struct apw_authzid *authzid_r)
{
    const char *end = bytes + length, *first, *second;

    if (length == 0)
        return -1;
    first = memchr(bytes, '\0', length);
    if (first == NULL)
        return -1;
    second = memchr(first + 1, '\0', (size_t)(end - first - 1));
    if (second == NULL)
        return -1;
    authzid_r->name = bytes;
    authzid_r->length = (size_t)(first - bytes);
    attempt->login = first + 1;
    attempt->login_length = (size_t)(second - first - 1);
    attempt->password = second + 1;
    attempt->password_length = (size_t)(end - second - 1);
    return 0;
}

void apw_message_parse_address(const char *address_and_port, char *address_r, size_t size)
{
    const char *start = address_and_port == NULL ? "" : address_and_port;
    size_t length;

    if (*start == '[')
        start++;
    length = strcspn(start, ";]%");
    if (length >= size)
        length = 0;
    memcpy(address_r, start, length);
    address_r[length] = '\0';
}
