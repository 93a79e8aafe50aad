/* SPDX-License-Identifier: BSD-2-Clause */
#include "autodiscover.h"
#include <string.h>

/* Phones ask at the same address for ActiveSync, with another schema. */
#define SCHEMA  "/autodiscover/outlook/responseschema/2006a"
#define ELEMENT "<EMailAddress>"

int apw_autodiscover_read(const char *text, size_t length, char address_r[APW_MAIL_ADDRESS_SIZE])
{
    const char *start = memmem(text, length, ELEMENT, strlen(ELEMENT)), *end;
    size_t bytes;

    address_r[0] = '\0';
    if (start == NULL || memmem(text, length, SCHEMA, strlen(SCHEMA)) == NULL)
        return -1;
    start += strlen(ELEMENT);
    end = memchr(start, '<', length - (size_t)(start - text));
    if (end == NULL || (bytes = (size_t)(end - start)) >= APW_MAIL_ADDRESS_SIZE)
        return -1;
    memcpy(address_r, start, bytes);
    address_r[bytes] = '\0';
    if (strlen(address_r) == bytes && apw_mail_address_is_valid(address_r))
        return 0;
    address_r[0] = '\0';
    return -1;
}
