/* SPDX-License-Identifier: BSD-2-Clause */
#include "utf8.h"
#include <string.h>

size_t apw_utf8_decode(const char *bytes_in, size_t length, uint32_t *character_r)
{
    const unsigned char *text = (const unsigned char *)bytes_in;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = text[0] < 0x80    ? 1
                   : text[0] >= 0xf0 ? 4
                   : text[0] >= 0xe0 ? 3
                   : text[0] >= 0xc0 ? 2
                                     : 0;
    uint32_t character;

    if (bytes == 0 || bytes > length || text[0] > 0xf4)
        return 0;
    character = bytes == 1 ? text[0] : text[0] & (0x7fU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (text[i] & 0x3f);
    }
    if (character < smallest[bytes] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *character_r = character;
    return bytes;
}

/* C0, DEL, C1, and the characters that act like them on a terminal: line and paragraph separators,
 * and changes of direction. */
static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0x200e ||
           character == 0x200f || character == 0x61c;
}

/* Counts characters into *characters_r; false at the first byte that is not UTF-8 or, with
 * `no_controls`, at the first control character. */
static bool scan(const char *text, size_t length, bool no_controls, size_t *characters_r)
{
    for (*characters_r = 0; length > 0; (*characters_r)++) {
        uint32_t character;
        size_t bytes = apw_utf8_decode(text, length, &character);

        if (bytes == 0 || (no_controls && is_control(character)))
            return false;
        text += bytes;
        length -= bytes;
    }
    return true;
}

bool apw_utf8_is_valid(const char *text, size_t length)
{
    size_t characters;

    return scan(text, length, false, &characters);
}

bool apw_utf8_is_printable(const char *text, size_t length)
{
    size_t characters;

    return scan(text, length, true, &characters);
}

size_t apw_utf8_printable_bytes(const char *text, size_t length)
{
    uint32_t character;
    size_t bytes = length == 0 ? 0 : apw_utf8_decode(text, length, &character);

    return bytes == 0 || is_control(character) ? 0 : bytes;
}

char apw_utf8_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t apw_utf8_characters(const char *text, size_t length)
{
    size_t characters;

    scan(text, length, false, &characters);
    return characters;
}
