/* SPDX-License-Identifier: BSD-2-Clause AND Unicode-DFS-2016 */
#include "ignorable.h"
#include "utf8.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* clang-format off */
/* ---- from scripts/update-unicode ---- */
/* Unicode 15.0.0: White_Space, Default_Ignorable_Code_Point and Cf. */
static const struct range ranges[] = {
    {0x0009, 0x000d},
    {0x0020, 0x0020},
    {0x0085, 0x0085},
    {0x00a0, 0x00a0},
    {0x00ad, 0x00ad},
    {0x034f, 0x034f},
    {0x0600, 0x0605},
    {0x061c, 0x061c},
    {0x06dd, 0x06dd},
    {0x070f, 0x070f},
    {0x0890, 0x0891},
    {0x08e2, 0x08e2},
    {0x115f, 0x1160},
    {0x1680, 0x1680},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x2000, 0x200f},
    {0x2028, 0x202f},
    {0x205f, 0x206f},
    {0x3000, 0x3000},
    {0x3164, 0x3164},
    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x110bd, 0x110bd},
    {0x110cd, 0x110cd},
    {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};
/* ---- end ---- */
/* clang-format on */

static bool is_ignorable(uint32_t character)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && ranges[i].first <= character; i++)
        if (character <= ranges[i].last)
            return true;
    return false;
}

size_t apw_ignorable_bytes(const char *text, size_t length)
{
    uint32_t character;
    size_t bytes = length == 0 ? 0 : apw_utf8_decode(text, length, &character);

    return bytes > 0 && is_ignorable(character) ? bytes : 0;
}

size_t apw_ignorable_separator_bytes(const char *text, size_t length)
{
    uint32_t character;
    size_t bytes = length == 0 ? 0 : apw_utf8_decode(text, length, &character);

    if (bytes == 0)
        return 0;
    return character == '-' || (character >= 0x2010 && character <= 0x2015) ||
                   character == 0x2212 || is_ignorable(character)
               ? bytes
               : 0;
}

/* Bytes of the last character if it is ignorable; otherwise 0. */
static size_t last_bytes(const char *text, size_t length)
{
    for (size_t bytes = 1; bytes <= 4 && bytes <= length; bytes++)
        if (apw_ignorable_bytes(text + length - bytes, bytes) == bytes)
            return bytes;
    return 0;
}

void apw_ignorable_trim(const char **text, size_t *length)
{
    size_t bytes;

    while ((bytes = apw_ignorable_bytes(*text, *length)) > 0) {
        *text += bytes;
        *length -= bytes;
    }
    while ((bytes = last_bytes(*text, *length)) > 0)
        *length -= bytes;
}

size_t apw_ignorable_mark_bytes(const char *text, size_t length)
{
    return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}
