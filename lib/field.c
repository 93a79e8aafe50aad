/* SPDX-License-Identifier: BSD-2-Clause */
#include "field.h"
#include "clock.h"
#include <sodium.h>
#include <string.h>

bool apw_field_take(struct apw_field *rest, const char *key, bool is_last,
                    struct apw_field *value_r)
{
    size_t key_length = strlen(key);
    const char *space;

    if (rest->length <= key_length || memcmp(rest->start, key, key_length) != 0 ||
        rest->start[key_length] != '=')
        return false;
    rest->start += key_length + 1;
    rest->length -= key_length + 1;
    *value_r = *rest;
    space = is_last ? NULL : memchr(rest->start, ' ', rest->length);
    if (space != NULL)
        value_r->length = (size_t)(space - rest->start);
    rest->start += value_r->length + (space != NULL);
    rest->length -= value_r->length + (space != NULL);
    return true;
}

int apw_field_take_time(struct apw_field *rest, const char *key, int64_t *seconds_r)
{
    struct apw_field field;

    return apw_field_take(rest, key, false, &field)
               ? apw_clock_parse_timestamp(field.start, field.length, seconds_r)
               : -1;
}

bool apw_field_begins(const char *value, size_t length, const char *start)
{
    return length >= strlen(start) && memcmp(value, start, strlen(start)) == 0;
}

/* sodium_base642bin() takes any byte past ASCII for '_'. */
int apw_field_decode(const struct apw_field *field, uint8_t *bytes_r, size_t size, size_t *length_r)
{
    for (size_t i = 0; i < field->length; i++)
        if ((unsigned char)field->start[i] > '~')
            return -1;
    return sodium_base642bin(bytes_r, size, field->start, field->length, NULL, length_r, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int apw_field_copy(const struct apw_field *field, char *text_r, size_t size)
{
    if (field->length >= size || memchr(field->start, '\0', field->length) != NULL)
        return -1;
    memcpy(text_r, field->start, field->length);
    text_r[field->length] = '\0';
    return 0;
}
