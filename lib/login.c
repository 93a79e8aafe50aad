#include "login.h"
#include <stdint.h>
#include <string.h>

/* Decodes one character of UTF-8 (RFC 3629, 4); returns its bytes, 0 where there is none. */
static size_t decode(const unsigned char *text, size_t length, uint32_t *character_r)
{
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

/* C0, DEL and C1; and what works like them on a terminal: line and paragraph separators, and the
 * characters that change the direction of everything behind them. */
static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* Counts characters into *characters_r; false at the first byte that is not UTF-8 or, with
 * `no_controls`, at the first control character. */
static bool scan(const char *text, size_t length, bool no_controls, size_t *characters_r)
{
    const unsigned char *at = (const unsigned char *)text;

    for (*characters_r = 0; length > 0; (*characters_r)++) {
        uint32_t character;
        size_t bytes = decode(at, length, &character);

        if (bytes == 0 || (no_controls && is_control(character)))
            return false;
        at += bytes;
        length -= bytes;
    }
    return true;
}

bool apw_text_is_utf8(const char *text, size_t length)
{
    size_t characters;

    return scan(text, length, false, &characters);
}

bool apw_text_is_printable(const char *text, size_t length)
{
    size_t characters;

    return scan(text, length, true, &characters);
}

size_t apw_text_printable_bytes(const char *text, size_t length)
{
    uint32_t character;
    size_t bytes = length == 0 ? 0 : decode((const unsigned char *)text, length, &character);

    return bytes == 0 || is_control(character) ? 0 : bytes;
}

size_t apw_text_characters(const char *text, size_t length)
{
    size_t characters;

    scan(text, length, false, &characters);
    return characters;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether nothing but white space is there: ASCII's, or Unicode's (U+0085, U+00A0, U+1680, U+2000
 * to U+200B, U+2028, U+2029, U+202F, U+205F, U+3000, U+FEFF). */
static bool is_blank(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;

    while (length > 0) {
        uint32_t c;
        size_t bytes = decode(at, length, &c);

        if (bytes == 0)
            return false;
        if (!(c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
              (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
              c == 0x205f || c == 0x3000 || c == 0xfeff))
            return false;
        at += bytes;
        length -= bytes;
    }
    return true;
}

bool apw_login_is_wellformed(const char *login, size_t length)
{
    return length > 0 && length <= APW_LOGIN_BYTES_MAX && !is_blank(login, length) &&
           apw_text_is_printable(login, length);
}

int apw_login_canonicalise(const char *login, size_t length, const char *realm,
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
